// xero-node, unchanged, against the emulator whose JSON line is the first argument. Prints what it got as JSON.
'use strict';
const { XeroClient, HistoryRecords } = require('xero-node');
const { Issuer } = require('openid-client');

const emulator = JSON.parse(process.argv[2]);
const tenant = emulator.tenant;

const refusal = async (promise) => {
  try {
    await promise;
    return null;
  } catch (error) {
    const thrown = typeof error === 'string' ? JSON.parse(error) : error;
    const response = thrown.response || thrown;
    return { status: response.statusCode || response.status, body: thrown.body || response.body || response.data };
  }
};

(async () => {
  const out = {};
  const xero = new XeroClient({
    clientId: emulator.client_id, clientSecret: emulator.client_secret, redirectUris: ['http://localhost/callback'],
    scopes: ['offline_access'],
  });
  xero.accountingApi.basePath = `${emulator.base_url}/api.xro/2.0`;
  // Its own initialize() knows only the vendor's host; the OpenID client it uses reads the emulator's discovery document.
  const issuer = await Issuer.discover(emulator.base_url);
  xero.openIdClient = new issuer.Client({
    client_id: emulator.client_id, client_secret: emulator.client_secret, redirect_uris: ['http://localhost/callback'],
  });
  xero.setTokenSet({ access_token: emulator.access_token, refresh_token: emulator.refresh_token, token_type: 'Bearer', expires_in: 1800 });
  const api = xero.accountingApi;

  const invoices = [];
  for (let page = 1, pages = 1; page <= pages; page += 1) {
    const { body } = await api.getInvoices(
      tenant, undefined, undefined, 'UpdatedDateUTC ASC', undefined, undefined, undefined, undefined, page,
      false, undefined, undefined, undefined, 100);
    pages = body.pagination.pageCount;
    invoices.push(...body.invoices);
  }
  out.invoices = invoices.filter((one) => one.type.toString() === 'ACCREC').map((one) => [
    one.invoiceID, one.amountDue, one.status.toString(), one.dueDate || null, one.lineItems.length]);
  out.filtered = (await api.getInvoices(tenant, undefined, 'Type=="ACCREC" AND Status=="AUTHORISED"', undefined, undefined,
    undefined, undefined, undefined, 1, undefined, undefined, undefined, undefined, 1000)).body.invoices.map((one) => one.invoiceID);
  out.changed = (await api.getInvoices(tenant, new Date(emulator.since), undefined, undefined, undefined, undefined, undefined,
    undefined, 1)).body.invoices.map((one) => one.invoiceID);
  out.contacts = (await api.getContacts(tenant, undefined, undefined, undefined, undefined, 1, undefined, undefined, "O'Neil"))
    .body.contacts.map((one) => one.name);
  out.payments = (await api.getPayments(tenant, undefined, 'PaymentType=="ACCRECPAYMENT"', undefined, 1, 1000))
    .body.payments.filter((one) => one.status.toString() === 'AUTHORISED').length;
  out.company = (await api.getOrganisations(tenant)).body.organisations[0].name;

  const note = new HistoryRecords();
  note.historyRecords = [{ details: 'Promised for Friday' }];
  await api.createInvoiceHistory(tenant, emulator.untouched, note, 'node-key-1');
  await api.createInvoiceHistory(tenant, emulator.untouched, note, 'node-key-1');
  out.history = (await api.getInvoiceHistory(tenant, emulator.untouched)).body.historyRecords
    .filter((one) => one.changes === 'Note').map((one) => one.details);
  out.expected = (await api.updateInvoice(tenant, emulator.untouched, {
    invoices: [{ invoiceID: emulator.untouched, expectedPaymentDate: '2026-12-04' }],
  })).body.invoices[0].expectedPaymentDate;
  out.refused = await refusal(api.updateInvoice(tenant, emulator.voided, {
    invoices: [{ invoiceID: emulator.voided, expectedPaymentDate: '2026-12-04' }],
  }));
  out.missing = await refusal(api.getInvoice(tenant, '00000000-0000-0000-0000-000000000000'));
  const tokens = await xero.refreshToken();
  out.refreshed = [tokens.access_token !== emulator.access_token, tokens.refresh_token !== emulator.refresh_token];
  out.group = (await api.createContactGroup(tenant, { contactGroups: [{ name: 'On stop' }] })).body.contactGroups[0].name;
  process.stdout.write(JSON.stringify(out));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
