"""What the machine of purchases chooses among. Nothing here depends on what has happened."""

from collections.abc import Sequence
from typing import TypeVar, get_args

from hypothesis import strategies as st

from .machine_people import Mind
from .machine_prices import COSTS, SHOP, request
from .machine_troubles import CLEAR, LIES, READS, UNCLEAR

T = TypeVar("T")
NAMES = ["orders", "drafts", "events", "images", "a-b_c"]
PROCESS, INDEX = st.integers(0, 1), st.integers(0, 9)
ERA = st.sampled_from(["legacy", "auto"])
MIND = st.sampled_from([*get_args(Mind), "right", "right", "right"])
WRITTEN_MIND = st.sampled_from(["right", "right", "right", "wrong", "blank"])
REQUEST = st.builds(request, st.sampled_from(SHOP), st.sampled_from(NAMES), st.sampled_from([None, None, "x"]))
COST = st.sampled_from(COSTS)
SURPRISE = st.sampled_from([*COSTS, *[None] * 15])
TWIST = st.sampled_from([None, None, None, None, "externalId", "name", "billingPlanId"])
DELAY = st.sampled_from([0.0, 0.0, 0.0, 59.0, 61.0, 121.0, 601.0])
MOMENT = st.sampled_from([1.0, 29.0, 31.0, 121.0, 601.0, 3_100.0, 3_599.0, 3_601.0, 43_200.0, 86_300.0, 86_401.0])
TROUBLE = st.sampled_from(UNCLEAR) | st.sampled_from(CLEAR)
READ_OF_STORES = st.sampled_from(["listStores", "getStorageStoresById"])
EVENT = st.one_of(
    st.tuples(st.just("trouble"), TROUBLE),
    st.tuples(st.just("read"), st.just("getBillingPlans"), st.sampled_from((*READS, *LIES)), st.sampled_from([1, 3])),
    st.tuples(st.just("read"), READ_OF_STORES, st.sampled_from(READS), st.just(1)),
    st.tuples(st.just("price"), REQUEST, COST, st.integers(0, 2)),
    st.tuples(st.just("death"), PROCESS, st.integers(0, 40)),
    st.tuples(st.just("restart"), PROCESS),
    st.tuples(st.just("list"), PROCESS, REQUEST),
    st.tuples(st.just("wait"), MOMENT),
)
LIMITS = st.fixed_dictionaries(
    {
        "max_per_day": st.sampled_from([50_00, 130_00, 250_00]),
        "max_creates_per_hour": st.sampled_from([3, 20, 20]),
        "approval_ttl": st.sampled_from([60, 600]),
        "reconcile": st.booleans(),
        "approval": st.sampled_from(["client", "client", "client", "terminal"]),
    }
)


def picked(things: Sequence[T], index: int) -> Sequence[T]:
    """One of these, the latest by index 0, or none if there is none.

    A rule that is never ruled out: which rules may run must not hang on the outcome of a race.
    """
    return things[-1 - index % len(things) :][:1] if things else ()
