"""How close to Xero is this? Every route and behavior with its evidence, and what is left out."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from ar_connectors.testkit.evidence import Behavior, Evidence, Fidelity, Route

__all__ = ["FIDELITY", "evidence_of"]

_R, _S, _D, _I = Evidence.RECORDED, Evidence.SPEC, Evidence.DOCUMENTED, Evidence.INFERRED
_OPENAPI: Final = "Xero's OpenAPI description"
_BODIES: Final = "recorded bodies in public test suites; Xero's OpenAPI description"

_ROUTES: Final = (
    Route("GET /Invoices", "list Invoices", _R, _BODIES),
    Route("GET /Invoices/{id or number}", "read Invoices", _R, _BODIES),
    Route("POST /Invoices (update, also several)", "update Invoices", _R, _BODIES),
    Route("PUT, POST /Invoices (create)", "create Invoices", _S, _OPENAPI),
    Route(
        "GET /Invoices/{id}/OnlineInvoice",
        "list OnlineInvoice",
        _S,
        f"{_OPENAPI}; the link itself is made up",
    ),
    Route("POST /Invoices/{id}/Email", "update Email", _S, f"{_OPENAPI}; nothing is sent, the call is noted"),
    Route("GET /Contacts", "list Contacts", _R, _BODIES),
    Route("GET /Contacts/{id}", "read Contacts", _R, _BODIES),
    Route("POST /Contacts", "update Contacts", _R, _BODIES),
    Route("PUT /Contacts", "create Contacts", _S, _OPENAPI),
    Route("GET /CreditNotes, /CreditNotes/{id or number}", "* CreditNotes", _R, _BODIES),
    Route("GET /Payments, /Payments/{id}", "list Payments", _S, _OPENAPI),
    Route("GET /Payments/{id}", "read Payments", _S, _OPENAPI),
    Route("PUT, POST /Payments; POST /Payments/{id} with Status DELETED", "* Payments", _S, _OPENAPI),
    Route("GET /Prepayments, /Prepayments/{id}", "* Prepayments", _S, _OPENAPI),
    Route("GET /Overpayments, /Overpayments/{id}", "* Overpayments", _S, _OPENAPI),
    Route("GET /BatchPayments", "* BatchPayments", _S, _OPENAPI),
    Route(
        "PUT /{CreditNotes, Prepayments, Overpayments}/{id}/Allocations", "create Allocations", _S, _OPENAPI
    ),
    Route("GET /{document}/{id}/History", "list History", _R, _BODIES),
    Route("PUT, POST /{document}/{id}/History", "* History", _S, f"{_OPENAPI}; Xero, History and notes"),
    Route("GET, PUT, POST /ContactGroups", "* ContactGroups", _S, _OPENAPI),
    Route("PUT, DELETE /ContactGroups/{id}/Contacts", "* ContactGroups Contacts", _S, _OPENAPI),
    Route("GET /Organisation", "list Organisation", _R, _BODIES),
    Route("GET /Organisation/Actions", "list Actions", _S, _OPENAPI),
    Route("GET /Accounts", "list Accounts", _S, _OPENAPI),
    Route("GET /Currencies", "list Currencies", _S, _OPENAPI),
    Route("GET /InvoiceReminders/Settings", "list InvoiceReminders", _S, _OPENAPI),
    Route("GET /Reports/AgedReceivablesByContact", "list Reports*", _S, f"{_OPENAPI} and its example"),
    Route("GET /connections", "connections", _R, "recorded bodies; Xero's OpenAPI description of identity"),
    Route("DELETE /connections/{id}", "connections delete", _S, "Xero's OpenAPI description of identity"),
    Route("POST /connect/token (refresh)", "token refresh", _D, "Xero, OAuth 2.0 FAQ"),
    Route("POST /connect/token (code, PKCE)", "token code", _D, "Xero, OAuth 2.0 FAQ"),
    Route("POST /connect/token (client_credentials)", "token credentials", _D, "Xero, custom connections"),
    Route("POST /connect/revocation", "token revoke", _D, "xero-python; Xero, OAuth 2.0"),
    Route("GET, POST /identity/connect/authorize", "consent", _D, "Xero, OAuth 2.0; the page is ours"),
    Route("GET /.well-known/openid-configuration", "openid", _D, "OpenID Connect discovery"),
)

_BEHAVIORS: Final = (
    Behavior("Lists come in the order of UpdatedDateUTC, then id.", _D, "Xero, Requests and responses"),
    Behavior("pageSize is 100 unless asked, and kept within 1 and 1000.", _D, "extracts of Xero's pages; Airbyte's connector"),
    Behavior(
        "A list that is not asked for by page has no line items, and contacts lack persons, groups, terms and balances.",
        _D,
        "Xero, Invoices; Xero, Contacts",
    ),
    Behavior("Invoices with Statuses or summaryOnly are paged anyway.", _D, "Xero, Invoices"),
    Behavior("More than 100,000 rows are refused with HighVolumeException.", _D, "Xero, Invoices; issues of clients"),
    Behavior("If-Modified-Since counts to the second; a row of that very second is in.", _I, "not documented"),
    Behavior(
        "A change of a part-paid invoice that makes no journal (due date, expected date, sent) does not move UpdatedDateUTC.",
        _D,
        "Xero, Requests and responses",
    ),
    Behavior("A contact's balance moves without UpdatedDateUTC.", _D, "Xero, Contacts"),
    Behavior("Balances are in the contact's currency, credits and money on account taken off.", _I, "Xero's pages disagree"),
    Behavior("A payment moves the UpdatedDateUTC of what it pays (can be switched off).", _I, "not documented"),
    Behavior("Voided and deleted documents stay, with their amounts and nothing due.", _R, "recorded bodies"),
    Behavior("A payment that is undone stays with Status DELETED; money it frees becomes an overpayment.", _I, "not documented"),
    Behavior("AmountCredited counts credit notes, prepayments and overpayments.", _S, _OPENAPI),
    Behavior("A deposit on an invoice is a prepayment allocated to it.", _I, "Xero has no other place for it"),
    Behavior(
        "Journal entries on receivables are not there: Xero has none. Money that one settles goes through a clearing account.",
        _D,
        "Xero, Manual journals",
    ),
    Behavior("CurrencyRate is units of the document's currency for one of the company's.", _I, "not documented"),
    Behavior("TotalAmount and IsReconciled of a payment's BatchPayment are texts.", _S, "example in Xero's OpenAPI description"),
    Behavior("ExpectedPaymentDate is refused once something is applied (or ignored, or saved, on request).", _D,
             "Xero, Invoices; Chaser's help pages"),
    Behavior("Only an empty ExpectedPaymentDateString clears the date.", _D, "issue 476 of xero-node"),
    Behavior("Dates in a locked period refuse any change; notes are taken.", _I, "Xero, Invoices, for the former"),
    Behavior("Read-only twins in a body are refused with PostDataInvalidException.", _D, "issue 243 of pyxero"),
    Behavior("With summarizeErrors=false each element says OK or ERROR and the status is 200; otherwise one error refuses all.",
             _R, "recorded bodies; Xero, Requests and responses"),
    Behavior("An answer is kept six minutes under its Idempotency-Key, an error too; another request with it is refused.",
             _D, "extracts of Xero's pages"),
    Behavior("Notes have at most 2500 characters (250 on request), cannot be changed, and are by `System Generated`.",
             _D, "Xero, History and notes"),
    Behavior("At most 100 contact groups; DELETE of a group's Contacts without a contact empties it.", _S, _OPENAPI),
    Behavior("Without Accept: application/json the answer is XML (its elements are named as in JSON).", _D,
             "Xero, Requests and responses; the XML is ours"),
    Behavior("Access tokens are JWTs and live 30 minutes; a refresh token lives 60 days, or 30 minutes once it is replaced.",
             _D, "Xero, OAuth 2.0 FAQ"),
    Behavior("A replaced refresh token within its grace gets the pair that replaced it.", _I, "not documented"),
    Behavior("http://localhost is taken as a redirect, http://127.0.0.1 is not.", _D, "reviews of Xero's pages"),
    Behavior("A scope the app has not been given fails the consent with invalid_scope.", _D, "help pages of integrators"),
    Behavior("A call without its scope gets 401 AuthorizationUnsuccessful (or 403, on request).", _I, "readers of Xero's pages disagree"),
    Behavior("60 calls a minute, 5000 a day, 5 at a time per company, 10,000 a minute per app, in fixed windows.", _D,
             "Xero, API limits"),
    Behavior("Answers say what is left; 429 names the problem, with Retry-After for minute and day and none for too many at a time.",
             _R, "recorded exchange; xero-node"),
    Behavior("The problem is spelled minute, day, appminute, concurrent.", _I, "minute and day are recorded, the others are not"),
    Behavior("Webhooks are signed, ask before whether they may come, and know no payments.", _S,
             "Xero's OpenAPI description of webhooks"),
    Behavior("A payment fires INVOICE UPDATE.", _I, "not documented"),
)  # fmt: skip

FIDELITY: Final = Fidelity(
    platform="xero",
    service="Xero Accounting API 2.0",
    routes=_ROUTES,
    behaviors=_BEHAVIORS,
    missing=(
        "Writing bills, bank transactions, quotes, repeating invoices, items, tracking; bills are there to be left alone.",
        "Approving a draft; changing a credit note; moving an invoice to another contact.",
        "Refunds of credit notes and overpayments (ARCREDITPAYMENT and the like): the books have none.",
        "Attachments, PDFs, really sending an e-mail.",
        "Merging contacts (MergedToContactID), phones and addresses in writes.",
        "`where` beyond comparisons, AND, OR, parentheses and the text functions; ordering by anything but listed fields.",
        "Fractions of seconds in UpdatedDateUTC; conditions of the free tier, egress and its price.",
        "Webhooks that come by themselves and again: a test says when one is sent. Prepayments and overpayments ring none.",
        "CIS deductions, discounts, tax by rate: a document has one flat tax, shared over its lines.",
    ),
    open_questions=(
        "Is ExpectedPaymentDate saved on a part-paid sales invoice since March 2026?",
        "May a note be written on a paid, voided or locked document?",
        "Is the limit of a note 250 or 2500 characters?",
        "Does a deleted payment come back under If-Modified-Since?",
        "Does a payment, a note or an expected date fire INVOICE UPDATE, and move UpdatedDateUTC?",
        "Is If-Modified-Since inclusive, and does it take Z and +00:00?",
        "Is a missing scope 401 or 403?",
        "In which currency are a contact's balances, and which way round is CurrencyRate?",
    ),
    faults={
        "unauthorized": "401 TokenExpired, upper-case keys",
        "token_killed": "401 TokenExpired",
        "grant_revoked": "401 AuthenticationUnsuccessful, no connection any more, `invalid_grant`",
        "invalid_grant": "400 `invalid_grant`",
        "forbidden": "403 AuthenticationUnsuccessful, lower-case keys",
        "permission_denied": "401 AuthorizationUnsuccessful",
        "rate_limited": "429 `concurrent`",
        "rate_limited_with_retry_after": "429 `minute` (option problem: `day`, `appminute`)",
        "quota_exhausted": "429 `day` with Retry-After of hours",
        "server_error": "500 InternalServerError",
        "service_unavailable": "503, plain text: offline for maintenance",
        "gateway_xml": "500, XML under a JSON content type",
        "gateway_fault": "502, an HTML page",
        "fault_with_200": "200 with HasErrors and StatusAttributeString ERROR",
        "stale_version": "ValidationException: a payment was allocated meanwhile",
        "period_closed": "ValidationException: before the period lock date",
        "duplicate_request_id": "400: the Idempotency-Key is used with a different request",
        "subscription_lapsed": "403 AuthenticationUnsuccessful, reads too",
        "cdc_cap": "400 HighVolumeException",
        "unknown_enum": "LineAmountTypes, PhoneType, TaxType, AddressType, and a field nobody knows",
    },
)
"""All claims."""


@lru_cache(maxsize=1024)
def evidence_of(operation: str) -> Evidence:
    """The mark of the first route that matches an operation; what matches none is inferred."""
    return next((one.evidence for one in _ROUTES if fnmatchcase(operation, one.operation)), _I)
