// node-quickbooks, unchanged, against the emulator whose JSON line is the first argument. Prints what it got as JSON.
'use strict';
const QuickBooks = require('node-quickbooks');

const emulator = JSON.parse(process.argv[2]);
QuickBooks.V3_ENDPOINT_BASE_URL = `${emulator.base_url}/v3/company/`; // the published way to point it somewhere else
QuickBooks.TOKEN_URL = emulator.token_url;
const client = new QuickBooks(
  emulator.client_id, emulator.client_secret, emulator.access_token, false, emulator.tenant,
  true, false, 75, '2.0', emulator.refresh_token,
);

const ask = (method, ...args) => new Promise((resolve, reject) => {
  client[method](...args, (error, data) => (error ? reject(error) : resolve(data)));
});
const refusal = async (method, ...args) => {
  try {
    await ask(method, ...args);
    return null;
  } catch (error) {
    const fault = (error.response ? error.response.data : error).Fault;
    return { status: error.response ? error.response.status : 200, code: fault.Error[0].code };
  }
};

(async () => {
  const out = {};
  out.count = (await ask('findInvoices', { count: true })).QueryResponse.totalCount;
  const invoices = (await ask('findInvoices', { fetchAll: true })).QueryResponse.Invoice;
  out.invoices = invoices.map((one) => [one.Id, one.TotalAmt, one.Balance]);
  out.customers = (await ask('findCustomers', [{ field: 'DisplayName', value: "O'Neil & Sons" }])).QueryResponse.Customer;
  out.open = (await ask('findInvoices', [
    { field: 'Balance', value: '0', operator: '>' }, { field: 'limit', value: 1000 },
  ])).QueryResponse.Invoice.map((one) => one.Id);

  const first = await ask('getInvoice', out.open[0]);
  const noted = await ask('createAttachable', {
    Note: 'Promised for Friday',
    AttachableRef: [{ EntityRef: { type: 'Invoice', value: first.Id }, IncludeOnSend: false }],
  });
  out.note = [noted.Id, noted.Note];
  const file = await ask('upload', 'statement.txt', 'text/plain', Buffer.from('as of today'), 'Invoice', first.Id);
  out.file = [file.FileName, file.AttachableRef[0].EntityRef.value === first.Id];
  const changed = await ask('updateInvoice', { Id: first.Id, SyncToken: first.SyncToken, sparse: true, PrivateNote: 'Called' });
  out.changed = [first.SyncToken, changed.SyncToken, changed.PrivateNote, changed.TotalAmt === first.TotalAmt, changed.DueDate === first.DueDate];
  out.stale = await refusal('updateInvoice', { Id: first.Id, SyncToken: first.SyncToken, sparse: true, PrivateNote: 'Late' });
  out.missing = await refusal('getInvoice', '99999999');
  out.batch = (await ask('batch', [
    { bId: 'a', Query: 'select count(*) from Customer' },
    { bId: 'b', operation: 'update', Invoice: { Id: first.Id, SyncToken: '0', sparse: true, PrivateNote: 'x' } },
  ])).BatchItemResponse.map((one) => [one.bId, one.Fault ? one.Fault.Error[0].code : one.QueryResponse.totalCount]);
  const feed = await ask('changeDataCapture', ['Invoice', 'Attachable'], emulator.since);
  out.changes = feed.CDCResponse[0].QueryResponse.map((group) => Object.keys(group)[0]);
  const voided = await ask('updateInvoice', { Id: changed.Id, SyncToken: changed.SyncToken, sparse: true });
  out.voided = (await ask('voidInvoice', voided)).Invoice;
  const tokens = await ask('refreshAccessToken');
  out.refreshed = [tokens.access_token !== emulator.access_token, client.token === tokens.access_token];
  out.company = (await ask('getCompanyInfo', emulator.tenant)).CompanyName;
  out.report = (await ask('reportAgedReceivables', {})).Header.ReportName;
  process.stdout.write(JSON.stringify(out));
})().catch((error) => {
  console.error(error.response ? error.response.data : error);
  process.exit(1);
});
