"""How close to NetSuite is this? Every route and behavior with its evidence, and what is left out."""

from __future__ import annotations

from typing import Final

from ar_connectors.testkit.evidence import Behavior, Evidence, Fidelity, Route
from ar_connectors.testkit.netsuite.misbehavior import FAULTS

__all__ = ["FIDELITY"]

_R, _S, _D, _I = Evidence.RECORDED, Evidence.SPEC, Evidence.DOCUMENTED, Evidence.INFERRED

_ROUTES: Final = (
    Route(
        "POST /query/v1/suiteql",
        "query *",
        _R,
        "a sandbox session published by others; Oracle, Executing SuiteQL queries through REST",
    ),
    Route("GET /record/v1/{type}", "list *", _R, "sandbox session; Oracle, Record collection filtering"),
    Route("GET /record/v1/invoice/{id}", "read invoice", _D, "Oracle's example of an invoice"),
    Route("GET /record/v1/creditMemo/{id}", "read creditMemo", _D, "Oracle's example of a credit memo"),
    Route(
        "GET /record/v1/customer/{id}",
        "read customer",
        _S,
        "metadata of a sandbox; a recorded vendor has the same shape",
    ),
    Route("GET /record/v1/{type}/{id}", "read *", _D, "Oracle, REST API browser 2026.1"),
    Route(
        "PATCH /record/v1/{type}/{id}", "update *", _D, "Oracle, Updating a record instance; REST API browser"
    ),
    Route(
        "PUT /record/v1/{type}/eid:{external id}",
        "upsert *",
        _S,
        "OpenAPI of a sandbox; Oracle, Using external IDs",
    ),
    Route(
        "POST /record/v1/{type}", "create *", _S, "OpenAPI of a sandbox; Oracle, Creating a record instance"
    ),
    Route(
        "POST /record/v1/invoice/{id}/!transform/customerPayment",
        "create invoice",
        _D,
        "Oracle, Record transformation",
    ),
    Route("DELETE /record/v1/{type}/{id}", "delete *", _S, "OpenAPI of a sandbox"),
    Route(
        "GET /record/v1/metadata-catalog",
        "metadata",
        _S,
        "metadata of a sandbox's customer; Oracle, Metadata catalog",
    ),
    Route("GET /async/v1/job/{id}", "job", _D, "Oracle, Asynchronous request processing"),
    Route("GET /system/v1/serverTime", "serverTime", _D, "Oracle, Server time"),
    Route(
        "GET /system/v1/governanceLimits",
        "governanceLimits",
        _D,
        "Oracle, Governance limits: for administrators only",
    ),
    Route(
        "POST /auth/oauth2/v1/token",
        "token",
        _D,
        "Oracle, OAuth 2.0 client credentials; what a refused assertion looks like is inferred",
    ),
)

_BEHAVIORS: Final = (
    Behavior(
        "All values of SuiteQL are texts, columns are in lower case, null ones are left out.",
        _R,
        "sandbox session",
    ),
    Behavior("A decimal has no zeros at its end.", _I, "examples differ"),
    Behavior(
        "A statement needs Prefer: transient; limit is 1 to 1000, offset a multiple of it.",
        _D,
        "Oracle, Query paging",
    ),
    Behavior(
        "A statement has 100,000 rows at most and 1000 pages; totalResults says no more than that.",
        _R,
        "Oracle, Query paging; lists of a sandbox end at 1000 pages",
    ),
    Behavior("Dates without TO_CHAR are of the user's format.", _D, "clients' code and issues"),
    Behavior("Instants of SuiteQL are of the account's zone, to the second.", _I, "not documented"),
    Behavior("SYSDATE is the data center's clock.", _D, "public library of statements"),
    Behavior(
        "An unknown column is `Unknown identifier`, an unknown table `Invalid search type`, a hidden one `was not found`.",
        _R,
        "bodies in test suites of public clients",
    ),
    Behavior(
        "What this emulator does not understand is `Invalid or unsupported search`.",
        _I,
        "words recorded, reach guessed",
    ),
    Behavior(
        "ROWNUM cuts before rows are sorted; LIMIT is refused, FETCH FIRST is not.",
        _D,
        "issues of Oracle's SDK; clients",
    ),
    Behavior(
        "Pages of a statement without ORDER BY repeat and skip rows (can be switched off).",
        _D,
        "issue 2181 of Salto, by the word of NetSuite's support",
    ),
    Behavior("transaction.subsidiary is unknown: it is on the main line.", _I, "sources differ"),
    Behavior(
        "Journal entries have no entity and no amounts on their header, and no main line.",
        _D,
        "prolecto.com, 2023-02-19",
    ),
    Behavior("A credit memo's foreigntotal is negative (can be switched).", _I, "not documented"),
    Behavior(
        "Applications are link rows of type Payment: previousdoc is settled by nextdoc.",
        _R,
        "test suites of public clients",
    ),
    Behavior(
        "The links of a voided payment stay, with foreignamount 0.", _D, "a public client passes them over"
    ),
    Behavior("A deposit is linked to its application by a row of type DepAppl.", _I, "not documented"),
    Behavior("deletedrecord has headers, never lines or links.", _D, "Estuary's connector"),
    Behavior(
        "Letters of customer payments and deposits.",
        _I,
        "REST API browser has the letters, not their meaning",
    ),
    Behavior(
        "PATCH, PUT and POST answer 204 with Location and no body.", _D, "Oracle; issues of public clients"
    ),
    Behavior(
        "An unknown property is passed over unless the caller wants an error.", _D, "Oracle, Error handling"
    ),
    Behavior(
        "Line ends in a text do not survive unless they are escaped twice.",
        _D,
        "Oracle, REST web services guide",
    ),
    Behavior(
        "Lines of a sublist are added, changed by `line`, or replaced by ?replace=.",
        _D,
        "Oracle, REST web services guide",
    ),
    Behavior("userEstimatedPaymentDate needs userEstimateSource.", _D, "Oracle, User-estimated payment date"),
    Behavior("References in lists and links are in lower case.", _R, "sandbox session"),
    Behavior("A GET of a locked record is refused.", _D, "Airbyte's connector and issue 79190"),
    Behavior(
        "A GET needs the right to edit the record, as a change does; a query does not.",
        _D,
        "Oracle, REST web services guide: a GET loads in edit mode",
    ),
    Behavior(
        "A closed period refuses every change, unless it allows those that book nothing.",
        _D,
        "guides of consultants",
    ),
    Behavior(
        "An unknown transaction is refused with 400, anything else unknown with 404.", _R, "sandbox session"
    ),
    Behavior(
        "Too many calls at a time: 429 without Retry-After (or 401, on request).",
        _D,
        "Oracle, Error handling; user reports",
    ),
    Behavior(
        "Access tokens live 3600 s; assertions less than 3600 s; RSA-PSS or EC only; five certificates.",
        _D,
        "Oracle",
    ),
    Behavior("expires_in is a text.", _I, "clients read both"),
    Behavior(
        "TBA: HMAC-SHA256 only; a timestamp may be five minutes off; a nonce works once.",
        _D,
        "Oracle; the minutes are inferred",
    ),
    Behavior("The idempotency key counts for asynchronous calls only.", _D, "Oracle, Idempotency"),
    Behavior(
        "A payment gives the invoices it pays a new lastModifiedDate (can be switched off).",
        _I,
        "not documented",
    ),
)

FIDELITY: Final = Fidelity(
    platform="netsuite",
    service="NetSuite SuiteTalk REST web services 2026.1 and SuiteQL",
    routes=_ROUTES,
    behaviors=_BEHAVIORS,
    missing=(
        "SuiteQL: common table expressions, window functions, joins marked (+), RIGHT and FULL joins, JOIN ... USING.",
        "SuiteQL: ROWNUM with aggregates, LISTAGG, BUILTIN functions other than DF and CF, CURRENT_DATE.",
        "SuiteQL: tables that receivables do not need, and many columns of those that are there; saved datasets.",
        "Batch calls, attachments, selectOptions, create-form, swagger from the metadata catalog.",
        "Records: changing lines of other transactions than invoices and payments.",
        "Records: orders, refunds, installments, files, messages, custom records.",
        "Taxes beyond one flat amount per document; approval routing other than an invoice that is pending.",
        "The authorization code grant, certificate rotation, roles and permissions other than hidden tables.",
        "RESTlets, SOAP, SuiteAnalytics Connect.",
        "Calls that run too long, changes that appear late, scripts of the account that save a record once more.",
    ),
    open_questions=(
        "Is userestimatedpaymentdate a column of transaction?",
        "Which zone have instants of SuiteQL?",
        "Does applying a payment change its invoice's lastmodifieddate?",
        "Is foreigntotal of a credit memo negative?",
        "Is transaction.subsidiary there?",
        "What does the token endpoint say of a bad assertion?",
        "Is there a Retry-After with 429?",
        "Which lines of payments and deposits do links name?",
    ),
    faults=FAULTS,
)
"""All claims."""
