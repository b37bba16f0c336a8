// netsuite-rest, unchanged, against the emulator whose JSON line is the first argument. Prints what it got as JSON.
'use strict';
const NetsuiteRest = require('netsuite-rest');

const emulator = JSON.parse(process.argv[2]);
const client = new NetsuiteRest({
  consumer_key: emulator.consumer_key,
  consumer_secret_key: emulator.consumer_secret,
  token: emulator.token_id,
  token_secret: emulator.token_secret,
  realm: emulator.account,
  base_url: emulator.base_url,
});

const ask = async (path, method = 'GET', body = '') => (await client.request({ path, method, body })).data;
const suiteql = async (q) => {
  const items = [];
  let page;
  do {
    page = await ask(`query/v1/suiteql?limit=100&offset=${items.length}`, 'POST', JSON.stringify({ q }));
    items.push(...page.items);
  } while (page.hasMore);
  return items;
};
const refusal = async (...args) => {
  try {
    await client.request(...args);
    return null;
  } catch (error) {
    const body = JSON.parse(error.response.body);
    return { status: error.response.statusCode, code: body['o:errorDetails'][0]['o:errorCode'], detail: body['o:errorDetails'][0].detail };
  }
};

(async () => {
  const out = {};
  out.time = (await ask('system/v1/serverTime')).serverTime;
  const catalog = await ask('record/v1/metadata-catalog/');
  out.types = catalog.items.map((one) => one.name);
  out.open = (await suiteql(
    "SELECT id, foreignamountunpaid FROM transaction WHERE type = 'CustInvc' AND foreignamountunpaid > 0 ORDER BY id",
  )).map((row) => [row.id, row.foreignamountunpaid]);
  out.count = (await suiteql("SELECT COUNT(*) AS count FROM transaction WHERE type = 'CustInvc'"))[0].count;
  out.streamed = (await suiteql('SELECT tranid, id FROM transaction WHERE rownum <= 30')).length;
  const [id] = out.open[0];
  const invoice = await ask(`record/v1/invoice/${id}?expandSubResources=true`);
  out.invoice = [invoice.id, invoice.amountRemaining, invoice.item.items.length];
  out.patched = await ask(`record/v1/invoice/${id}`, 'PATCH', JSON.stringify({
    userEstimatedPaymentDate: '2026-12-24', userEstimateSource: { id: 'CUSTOMER_PROMISED_DATE' },
  }));
  out.called = await ask('record/v1/phoneCall/eid:promise-1', 'PUT', JSON.stringify({
    title: 'Promised for Christmas', transaction: { id },
  }));
  out.missing = await refusal({ path: 'record/v1/invoice/99999999' });
  out.column = await refusal({
    path: 'query/v1/suiteql', method: 'POST', body: JSON.stringify({ q: 'select not_existing_field from customer' }),
  });
  client.token_secret = 'wrong';
  out.stranger = await refusal({ path: 'record/v1/invoice' });
  process.stdout.write(JSON.stringify(out));
})().catch((error) => {
  console.error(error.response ? error.response.body : error);
  process.exit(1);
});
