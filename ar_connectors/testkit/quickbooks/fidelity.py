"""How close to QuickBooks Online is this? Every route and behavior with its evidence, and what is left out."""

from __future__ import annotations

from typing import Final

from ar_connectors.testkit.evidence import Behavior, Evidence, Fidelity, Route

__all__ = ["FIDELITY"]

_R, _S, _D, _I = Evidence.RECORDED, Evidence.SPEC, Evidence.DOCUMENTED, Evidence.INFERRED

_ROUTES: Final = (
    Route(
        "GET /query, POST /query",
        "query *",
        _R,
        "sandbox bodies in public test suites; Intuit, Query operations and syntax",
    ),
    Route("GET /query with COUNT(*)", "count *", _D, "Intuit, Query operations and syntax"),
    Route("GET /cdc", "cdc", _R, "sandbox body in a public test suite; Intuit, Change data capture"),
    Route("GET /{entity}/{id}", "read *", _R, "sandbox bodies in public test suites"),
    Route("POST /attachable", "create Attachable", _R, "Intuit's reference example of a note"),
    Route(
        "POST /attachable (update)",
        "update Attachable",
        _D,
        "Intuit's reference; whether a sparse one keeps links is inferred",
    ),
    Route(
        "POST /attachable?operation=delete", "delete Attachable", _R, "sandbox body in a public test suite"
    ),
    Route("POST /customer (update)", "update Customer", _R, "Intuit's reference; sandbox bodies"),
    Route("POST /{entity}", "create *", _R, "Intuit's reference; sandbox bodies"),
    Route("POST /{entity} (update)", "update *", _D, "Intuit's reference, full and sparse update"),
    Route(
        "POST /{entity}?operation=delete", "delete *", _R, "Intuit's reference examples of deleted records"
    ),
    Route(
        "POST /invoice?operation=void, /payment?include=void",
        "void *",
        _D,
        "Intuit's reference; python-quickbooks",
    ),
    Route("POST /batch", "batch", _R, "sandbox body in a public test suite; Intuit's schema"),
    Route(
        "POST /upload",
        "upload",
        _D,
        "Intuit, Attachable: multipart with file_metadata_NN and file_content_NN; clients that send it work",
    ),
    Route("GET /download/{id}", "download", _D, "Intuit, Attachable: a link in plain text"),
    Route("GET /files/... (the link)", "file", _I, "the address is ours; that it needs no token is Intuit's"),
    Route("GET /companyinfo/{realm}", "companyinfo", _R, "sandbox body in a public test suite"),
    Route("GET /preferences", "preferences", _R, "sandbox bodies in a public test suite"),
    Route("GET /exchangerate", "exchangerate", _S, "Intuit's schema; the rate itself is made up"),
    Route(
        "GET /reports/AgedReceivableDetail",
        "report AgedReceivableDetail",
        _I,
        "Intuit's reference names its columns; sections and titles are as clients that read it expect",
    ),
    Route("GET /reports/AgedReceivables", "report *", _R, "Intuit's reference example of the report"),
    Route(
        "POST /oauth2/v1/tokens/bearer (refresh)", "token refresh", _D, "Intuit, OAuth 2.0; its Python client"
    ),
    Route("POST /oauth2/v1/tokens/bearer (code)", "token code", _D, "Intuit, OAuth 2.0; its Python client"),
    Route("POST /v2/oauth2/tokens/revoke", "token revoke", _D, "Intuit, OAuth 2.0; its Python client"),
    Route(
        "GET, POST /connect/oauth2",
        "consent",
        _D,
        "Intuit, OAuth 2.0: parameters there and back; the page is ours",
    ),
    Route(
        "GET /.well-known/openid_configuration",
        "openid",
        _D,
        "OpenID Connect discovery, as Intuit's clients read it",
    ),
)

_BEHAVIORS: Final = (
    Behavior(
        "A query returns 100 rows by default and 1000 at most; STARTPOSITION counts from 1.",
        _D,
        "Intuit, Query operations",
    ),
    Behavior(
        "MAXRESULTS above 1000 is taken for 1000, STARTPOSITION 0 for 1.", _I, "clients that send them work"
    ),
    Behavior(
        "Entity names in a query and in the change feed may be in any case.",
        _I,
        "node-quickbooks writes them in lower case and works",
    ),
    Behavior(
        "Inactive customers, terms and accounts are hidden unless Active is in the condition.",
        _D,
        "Airbyte's and Singer's connectors",
    ),
    Behavior("An answer without rows has no entity key.", _R, "sandbox bodies"),
    Behavior(
        "Conditions on fields that are not marked filterable are refused with 4001.",
        _D,
        "Intuit's reference, filterable marks",
    ),
    Behavior("LIKE does not heed case, = does.", _I, "not documented"),
    Behavior("An instant without an offset is taken as Pacific.", _I, "not documented"),
    Behavior(
        "The change feed is cut off at 1000 objects without a word.",
        _D,
        "Intuit, Change data capture; user reports",
    ),
    Behavior(
        "Which objects are left out of a full feed: those of later entities, and the latest changes.",
        _I,
        "not documented",
    ),
    Behavior("A feed of more than 30 days is refused (the code, 2030, is a guess).", _I, "user reports"),
    Behavior(
        "A group of stubs alone has totalCount and no startPosition.", _R, "issues of Intuit's PHP client"
    ),
    Behavior(
        "Unchanged entities are empty groups.",
        _I,
        "recorded once; Intuit's page says only changed ones are listed",
    ),
    Behavior(
        "Who does not ask for JSON is answered in XML.",
        _R,
        "bodies in a public test suite of a client in Ruby; Intuit's schema; of reports its schema alone",
    ),
    Behavior("MetaData instants have Pacific offsets, to the second.", _R, "sandbox bodies"),
    Behavior("A subtotal line is appended and has no Id.", _R, "sandbox bodies"),
    Behavior("Voiding zeroes all amounts and puts `Voided` before PrivateNote.", _D, "Intuit's reference"),
    Behavior("Voiding empties LinkedTxn and puts the money on account.", _I, "not documented"),
    Behavior(
        "A payment gives the invoices it pays a new version and instant (can be switched off).",
        _I,
        "not documented",
    ),
    Behavior("A payment does not give its customer a new version.", _I, "not documented"),
    Behavior(
        "Customer.Balance is in the customer's currency and takes off credits and money on account.",
        _I,
        "not documented",
    ),
    Behavior(
        "CompanyInfo, Preferences and ExchangeRate can be queried; the conditions they take are few.",
        _I,
        "clients that do it work; Intuit's reference gives an example for each",
    ),
    Behavior(
        "InvoiceLink is there only with include=invoiceLink, an e-mail address and online payments.",
        _D,
        "Intuit's reference; the link itself is made up",
    ),
    Behavior(
        "A line's ItemRef names an item, whose IncomeAccountRef names the account it is booked on.",
        _D,
        "Intuit's reference",
    ),
    Behavior(
        "Webhooks have Intuit's two shapes and its signature; several changes of a record come as one event.",
        _R,
        "Intuit's examples of both shapes; that changes are joined is inferred",
    ),
    Behavior(
        "A webhook that is not answered with success within 3 s comes again after 10, 20, 30 s, 5, 20 min, 2, 4, 6 h; later ones wait.",
        _D,
        "Intuit, best practices for webhooks; they come by themselves for whom the control API subscribes",
    ),
    Behavior("An invoice's Deposit is taken off its Balance; no payment names it.", _D, "Intuit's reference"),
    Behavior(
        "A stale SyncToken is refused with 5010, a missing record with 610, a name that is taken with 6240.",
        _R,
        "sandbox bodies",
    ),
    Behavior("A document number that is taken is refused with 6140.", _D, "Intuit's list of error codes"),
    Behavior(
        "An inactive customer's DisplayName ends in ` (deleted)`.",
        _I,
        "recorded for accounts, reported for customers",
    ),
    Behavior(
        "A transaction dated in closed books is refused with 6210; notes and customers are not.",
        _I,
        "the code is documented, its reach is not",
    ),
    Behavior("An attached note leaves the version of what it hangs on alone.", _I, "not documented"),
    Behavior(
        "A note has at most 2000 characters, a memo 4000, Customer.Notes 2000: otherwise 2050.",
        _D,
        "Intuit's reference",
    ),
    Behavior(
        "A company in the United States keeps Latin-1; other characters become `?`.",
        _I,
        "Intuit documents ISO-8859-1, not what becomes of the rest",
    ),
    Behavior(
        "The same requestid gets the first answer again (can be switched off, or refused with 600).",
        _D,
        "Intuit's blog; users report otherwise",
    ),
    Behavior(
        "A batch has at most 30 items; each is answered or refused by itself.",
        _D,
        "Intuit, Batch; its .NET client",
    ),
    Behavior(
        "Access tokens live 3600 s, refresh tokens 100 days and change once a day; the one before lives a day longer.",
        _D,
        "Intuit, OAuth FAQ",
    ),
    Behavior(
        "A replaced refresh token that comes again is answered within its grace; on request it ends the connection.",
        _I,
        "Intuit's FAQ warns of the latter; issues of clients tell of both",
    ),
    Behavior(
        "A redirect address is https, or http://localhost; one by number is not taken.",
        _D,
        "Intuit, Set redirect URIs",
    ),
    Behavior(
        "x_refresh_token_hard_expires_in comes when asked for, five years from consent.",
        _D,
        "Intuit's blog of 2025-11-12",
    ),
    Behavior(
        "10 calls a second, 500 a minute, 40 batches a minute, 10 at a time per company; beyond that 429 without Retry-After.",
        _D,
        "Intuit, API call limits and throttles",
    ),
    Behavior(
        "Gateway faults (401, 403 of the app, 429) have lower-case keys and epoch milliseconds.",
        _R,
        "sandbox bodies",
    ),
    Behavior(
        "Reads, queries, feeds, batches and reports are metered, single writes are not; only successes count.",
        _D,
        "Intuit App Partner Program",
    ),
)

FIDELITY: Final = Fidelity(
    platform="quickbooks",
    service="QuickBooks Online Accounting API v3, minor version 75",
    routes=_ROUTES,
    behaviors=_BEHAVIORS,
    missing=(
        "XML in requests.",
        "PDFs of documents, sending documents by e-mail, thumbnails of files.",
        "Entities beyond receivables (estimates, receipts, vendors): queries for some of them find nothing; of items two exist.",
        "Taxes beyond one flat amount per document, discounts other than as a line, projects.",
        "Journal entries with more than one line on receivables; changing a journal entry.",
        "Merging customers; the credit memo that the user interface makes when a customer with a balance is deactivated.",
        "Fault 2010 for unknown fields of a body: they are passed over.",
        "A request of more than 120 seconds, answers of more than one server, changes that appear late.",
        "Webhooks of several companies in one body, their delay of some minutes, and the attempts after 6 hours.",
        "Reports other than aging; of their options only report_date, which ages what is open now.",
    ),
    open_questions=(
        "Does creating a note change the invoice's SyncToken, or fail in closed books?",
        "Does a payment change LastUpdatedTime of its invoices and its customer?",
        "Is invoiceStatus shown to apps of third parties?",
        "Is requestid replayed on /attachable and /invoice?",
        "What does a sparse update do to custom fields it leaves out, and how long may they be?",
        "Which zone has an instant without an offset?",
        "In which currency is Customer.Balance?",
        "How is a batch metered?",
        "May a note hang on a customer?",
    ),
    faults={
        "unauthorized": "gateway fault 3200",
        "token_killed": "gateway fault 3200",
        "grant_revoked": "gateway fault 3200, then `invalid_grant`",
        "forbidden": "gateway fault 3100",
        "permission_denied": "403 with fault 5020",
        "rate_limited": "gateway fault 3001",
        "rate_limited_with_retry_after": "gateway fault 3001 with Retry-After",
        "quota_exhausted": "gateway fault 3001",
        "server_error": "fault 10000",
        "service_unavailable": "503 with an HTML page of nginx",
        "gateway_xml": "`IntuitResponse` as XML",
        "gateway_fault": "lower-case keys, time in milliseconds",
        "fault_with_200": "fault 6000",
        "stale_version": "fault 5010",
        "period_closed": "fault 6210",
        "duplicate_request_id": "fault 600",
        "subscription_lapsed": "fault 6190, also for reads",
        "cdc_cap": "the change feed ends early, without a word",
        "unknown_enum": "EmailStatus, DetailType, PreferredDeliveryMethod and a term's Type",
    },
)
"""All claims."""
