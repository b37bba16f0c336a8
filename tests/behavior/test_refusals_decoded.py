"""A refusal that was kept in a file, decoded without the call it answered: the class and the advice are those of the live call."""

from __future__ import annotations

import pytest

import ar_connectors as ar
from ar_connectors.errors import (
    ARError,
    AuthError,
    ConfigurationError,
    NotFoundError,
    ReauthorizationRequired,
    TransientError,
)

ERRORS = {"quickbooks": "fault", "xero": "error", "netsuite": "error"}


def decoded(platform: str, body: bytes) -> ARError:
    """What the body is worth."""
    with pytest.raises(ARError) as caught:
        ar.decode(platform, ERRORS[platform], body, tenant="T")
    found = caught.value
    assert (found.platform, found.tenant) == (platform, "T")
    return found


@pytest.mark.parametrize("platform", ERRORS)
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (
            b'{"error":"invalid_grant","error_description":"Incorrect or invalid refresh token"}',
            ReauthorizationRequired,
        ),
        (b'{"error":"invalid_grant"}', ReauthorizationRequired),
        (b'{"error":"invalid_client"}', ConfigurationError),
        (b'{"error":"unsupported_grant_type"}', ConfigurationError),
        (b'{"error":"invalid_request","error_description":"Audience doesn\'t match"}', AuthError),
    ],
)
def test_a_refusal_of_the_token_endpoint_is_known_everywhere(
    platform: str, body: bytes, kind: type[ARError]
) -> None:
    found = decoded(platform, body)
    assert type(found) is kind
    assert found.platform_code
    assert found.platform_code.encode() in body


@pytest.mark.parametrize(
    ("body", "kind", "advice"),
    [
        (b"The Organisation is offline", TransientError, "five minutes"),
        (b"The Xero API is currently offline for maintenance", TransientError, "later"),
        (b"The resource you're looking for cannot be found", NotFoundError, "check the id"),
        (b'{"ErrorNumber":500,"Type":"InternalServerError","Message":"x"}', TransientError, "later"),
        (
            b'{"Title":"Unauthorized","Status":401,"Detail":"TokenExpired: token expired at 08/12/2022 07:00:40"}',
            AuthError,
            "refresh it once",
        ),
    ],
)
def test_xero_says_some_things_without_a_status(body: bytes, kind: type[ARError], advice: str) -> None:
    found = decoded("xero", body)
    assert type(found) is kind
    assert advice in (found.advice or "")


@pytest.mark.parametrize("platform", ERRORS)
@pytest.mark.parametrize("body", [b"<html>", b"{", b"5"])
def test_what_is_no_body_at_all_names_the_company_it_was_decoded_for(platform: str, body: bytes) -> None:
    with pytest.raises(ARError) as caught:
        ar.decode(platform, "invoice", body, tenant="T")
    assert (caught.value.platform, caught.value.tenant) == (platform, "T")


@pytest.mark.parametrize("platform", ERRORS)
def test_without_a_tenant_nothing_is_decoded(platform: str) -> None:
    with pytest.raises(ConfigurationError, match="tenant is empty"):
        ar.decode(platform, "invoice", b"{}", tenant="")
