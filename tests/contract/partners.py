"""The contracts there are. A new ERP is one entry here and one module `test_<erp>.py` with what we rely on."""

from __future__ import annotations

from tests.contract.recording import Partner
from tests.faces import FACES

__all__ = ["PARTNERS"]

PARTNERS: dict[str, Partner] = {
    "quickbooks": Partner(
        FACES["quickbooks"],
        "QuickBooks",
        {
            "base_url": "https://quickbooks.api.intuit.com",
            "token_url": "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
        },
    ),
    "xero": Partner(
        FACES["xero"],
        "Xero",
        {"base_url": "https://api.xero.com", "token_url": "https://identity.xero.com/connect/token"},
    ),
}
