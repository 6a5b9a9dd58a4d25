"""make_group(): an open, listed group with a convenor and, if named, members."""

from itertools import count

from members.models import Group, GroupMember, Standing
from members.services import groups

from .members import make_member

numbers = count(1)


def make_group(*people, convenor=None, **fields) -> Group:
    """`people` are in it, in this order; the convenor is one of our own making unless given."""
    fields.setdefault("name", f"Group {next(numbers)}")
    group = groups.make_group(actor=convenor or make_member(), **fields)
    for person in people:
        put_in(group, person)
    return group


def put_in(group, member, standing=Standing.MEMBER) -> GroupMember:
    return GroupMember.objects.create(group=group, member=member, standing=standing)
