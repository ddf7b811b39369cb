"""From endings to statuses, and what the filter of system calls lets through."""

from __future__ import annotations

import errno

import pytest

from kourse.runner.box import seccomp
from kourse.runner.box.order import Ending, Order
from kourse.runner.verdicts import Limits, Status, verdict

LIMITS = Limits(cpu_s=2.0)


def judged(ending: Ending, *, said: bytes = b"", expected: bytes | None = None) -> Status:
    """The status of a run that did not flood."""
    return verdict(ending, said, expected, LIMITS, flooded=False)


class TestVerdict:
    def test_accepts_the_expected_output_whatever_white_space_ends_its_lines(self) -> None:
        assert judged(Ending(0), said=b"1 \n2\n\n", expected=b"1\n2") is Status.ACCEPTED

    def test_tells_white_space_within_a_line_apart(self) -> None:
        assert judged(Ending(0), said=b"1  2", expected=b"1 2") is Status.WRONG_ANSWER

    def test_accepts_any_output_where_none_is_expected(self) -> None:
        assert judged(Ending(0), said=b"anything") is Status.ACCEPTED

    def test_puts_time_before_the_signal_that_enforced_it(self) -> None:
        assert judged(Ending(signal=9, cpu_s=2.0)) is Status.TIME_LIMIT_EXCEEDED
        assert judged(Ending(signal=9, timed_out=True)) is Status.TIME_LIMIT_EXCEEDED

    @pytest.mark.parametrize(
        ("number", "status"),
        [
            (11, Status.RUNTIME_ERROR_SIGSEGV),
            (6, Status.RUNTIME_ERROR_SIGABRT),
            (31, Status.RUNTIME_ERROR_OTHER),
        ],
    )
    def test_names_the_signal(self, number: int, status: Status) -> None:
        assert judged(Ending(signal=number)) is status

    def test_never_accepts_the_right_output_of_a_program_that_failed(self) -> None:
        assert judged(Ending(3), said=b"1", expected=b"1") is Status.RUNTIME_ERROR_NZEC

    def test_calls_too_much_output_a_file_that_is_too_large(self) -> None:
        assert verdict(Ending(0), b"", None, LIMITS, flooded=True) is Status.RUNTIME_ERROR_SIGXFSZ


class TestOrder:
    def test_comes_back_as_it_was_encoded(self) -> None:
        order = Order(argv=["/usr/bin/node"], readable=["/usr/lib"], cpu_s=3)
        assert Order.decode(order.encode()) == order


def answer(number: int, *arguments: int, arch: int = seccomp.AUDIT_ARCH_X86_64) -> int:
    """What the filter returns for a call, by an interpreter of classic BPF."""
    memory = {seccomp.NUMBER: number, seccomp.ARCH: arch}
    for index in range(6):
        value = arguments[index] if index < len(arguments) else 0
        memory[seccomp.ARGUMENTS + 8 * index] = value & 0xFFFFFFFF
        memory[seccomp.ARGUMENTS + 8 * index + 4] = value >> 32
    steps, at, held = seccomp.program(), 0, 0
    while True:
        code, then, otherwise, value = steps[at]
        at += 1
        if code == seccomp.RETURN:
            return value
        if code == seccomp.LOAD:
            held = memory[value]
        elif code == seccomp.AND:
            held &= value
        else:
            met = {
                seccomp.EQUAL: held == value,
                seccomp.AT_LEAST: held >= value,
                seccomp.ANY_BIT: bool(held & value),
            }[code]
            at += then if met else otherwise


DENIED = seccomp.ERRNO | errno.EPERM
MISSING = seccomp.ERRNO | errno.ENOSYS


class TestFilter:
    def test_kills_calls_of_another_architecture(self) -> None:
        assert answer(0, arch=0x40000003) == seccomp.KILL

    @pytest.mark.parametrize("number", [n for group in seccomp.DENIED.values() for n in group])
    def test_denies_what_is_listed(self, number: int) -> None:
        assert answer(number) == DENIED

    @pytest.mark.parametrize("number", [425, 435, 437, 447, 999, 0x40000000 + 1])
    def test_does_not_know_new_calls_nor_those_of_x32(self, number: int) -> None:
        assert answer(number) == MISSING

    @pytest.mark.parametrize("number", [0, 1, 3, 202, 231, *seccomp.HARMLESS_NEW])
    def test_allows_ordinary_calls(self, number: int) -> None:
        assert answer(number) == seccomp.ALLOW

    def test_allows_threads_and_no_processes(self) -> None:
        assert answer(seccomp.CLONE, 0x003D0F00) == seccomp.ALLOW
        assert answer(seccomp.CLONE, 17) == DENIED

    def test_allows_private_memory_and_none_that_is_shared(self) -> None:
        assert answer(seccomp.MMAP, 0, 4096, 3, 0x22) == seccomp.ALLOW
        assert answer(seccomp.MMAP, 0, 4096, 3, 0x21) == DENIED

    def test_sends_to_the_other_end_of_a_pair_alone(self) -> None:
        assert answer(seccomp.SOCKETPAIR, 1) == seccomp.ALLOW
        assert answer(seccomp.SOCKETPAIR, 2) == DENIED
        assert answer(seccomp.SENDTO, 3, 0, 1, 0, 0) == seccomp.ALLOW
        assert answer(seccomp.SENDTO, 3, 0, 1, 0, 1 << 40) == DENIED

    def test_shows_limits_and_sets_none(self) -> None:
        assert answer(seccomp.PRLIMIT, 0, 7, 0, 1) == seccomp.ALLOW
        assert answer(seccomp.PRLIMIT, 0, 7, 1 << 33, 0) == DENIED
