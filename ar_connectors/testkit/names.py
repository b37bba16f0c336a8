"""Made-up names, places and goods for generated companies."""

from __future__ import annotations

import random
from typing import Final

__all__ = ["CITIES", "GOODS", "PEOPLE", "STREETS", "company_name"]

PEOPLE: Final = (
    "Ada Brandt", "Bela Okafor", "Chloé Dubois", "Dario Conti", "Edith Lang", "Farid Haddad", "Greta Moe", "Hugo Peña",
    "Ines Silva", "Jonas Weiß", "Kira Novak", "Liam Walsh", "Mei Tan", "Nils Berg", "Olga Ivers", "Priya Nair",
)  # fmt: skip
STREETS: Final = ("Harbor Road", "Mill Lane", "Station Street", "Quarry Way", "Orchard Avenue", "Foundry Row")
CITIES: Final = ("Oakford", "Millbrook", "Port Ellis", "Graham Falls", "Westing", "Larch Hill")
GOODS: Final = (
    "Pallets, heat treated", "Site inspection", "Maintenance, monthly", "Steel brackets", "Delivery", "Spare filters",
    "Design hours", "Garden rocks", "Café supplies", "Cable, 50 m",
)  # fmt: skip
_FIRST: Final = (
    "Alder", "Birch", "Cobalt", "Dune", "Ember", "Fjord", "Granite", "Harrow", "Iris", "Juniper", "Kestrel", "Linden",
    "Marlow", "Nimbus", "Ostler", "Pallas", "Quill", "Rowan", "Sable", "Tamar",
)  # fmt: skip
_SECOND: Final = (
    "Foods",
    "Logistics",
    "Builders",
    "Dental",
    "Motors",
    "Textiles",
    "Studio",
    "Energy",
    "Gardens",
    "Hotels",
)
_THIRD: Final = ("Inc.", "LLC", "& Co.", "Group", "Partners", "Ltd")


def company_name(chance: random.Random, index: int) -> str:
    """A name no other index has."""
    words = [chance.choice(_FIRST), chance.choice(_SECOND), chance.choice(_THIRD)]
    return f"{' '.join(words)} {index}"
