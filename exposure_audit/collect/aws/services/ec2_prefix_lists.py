"""EC2 managed prefix lists: named CIDRs that rules and routes refer to."""

import msgspec

from exposure_audit.collect.aws.api import ec2
from exposure_audit.collect.aws.shapes import CidrCheck
from exposure_audit.collect.contract import Answers, Parameters, PerResource, Service
from exposure_audit.model.inventory import AddressList, Inventory


class PrefixList(msgspec.Struct, frozen=True):
    """A list, ours or of AWS."""

    PrefixListId: str
    PrefixListName: str = ""


class PrefixLists(msgspec.Struct, frozen=True):
    """ec2.describe_managed_prefix_lists."""

    PrefixLists: tuple[PrefixList, ...]


class Entry(msgspec.Struct, frozen=True):
    """One CIDR of a list."""

    Cidr: str


class Entries(msgspec.Struct, frozen=True):
    """ec2.get_managed_prefix_list_entries, of one list."""

    Entries: tuple[Entry, ...]


LISTS = ec2("describe_managed_prefix_lists", "PrefixLists", size=100, yields=("address-list",))


def _lists(answers: Answers) -> dict[str, Parameters] | None:
    read = answers.one(LISTS.name, PrefixLists)
    return (
        None if read is None else {one.PrefixListId: {"PrefixListId": one.PrefixListId} for one in read.PrefixLists}
    )


ENTRIES = ec2(
    "get_managed_prefix_list_entries",
    "Entries",
    size=100,
    yields=("address-list",),
    per=PerResource(needs=(LISTS.name,), parameters=_lists),
)


def parse(answers: Answers) -> Inventory:
    """Prefix lists; one whose entries could not be read says so with None."""
    read = answers.one(LISTS.name, PrefixLists)
    if read is None:
        return Inventory()
    entries = answers.each(ENTRIES.name, Entries) or {}
    is_cidr = CidrCheck(answers, ENTRIES.name)
    found = []
    for one in read.PrefixLists:
        held = entries.get(one.PrefixListId)
        cidrs = None if held is None else tuple(entry.Cidr for entry in held.Entries)
        if cidrs is not None and not all(is_cidr(cidr) for cidr in cidrs):
            cidrs = None
        found.append(
            AddressList(
                id=answers.place.id("prefix-list", one.PrefixListId),
                native_id=one.PrefixListId,
                name=one.PrefixListName,
                entries=cidrs,
            )
        )
    return Inventory(address_lists=tuple(found))


SERVICE = Service(name="ec2_prefix_lists", calls=(LISTS, ENTRIES), parse=parse)
