"""Every table that names people says what becomes of their rows when an account is deleted."""

from importlib import import_module

import pytest

from kourse.contracts.events import UserDeleted
from kourse.kit.erasure import PLATFORM, Keep, Remove, tables_about_people

STORES = ("identity", "profile", "course", "assessment", "notification", "dashboard")


def tables_of(service):
    return import_module(f"kourse.{service}.tables")


def rules_of(service):
    return {**PLATFORM, **getattr(tables_of(service), "ERASURE", {})}


class TestErasure:
    @pytest.mark.parametrize("service", STORES)
    def test_has_a_rule_for_every_table_that_names_people(self, service):
        about_people = tables_about_people(tables_of(service).metadata)

        assert set(about_people) - set(rules_of(service)) == set()

    @pytest.mark.parametrize("service", STORES)
    def test_has_no_rule_for_a_table_or_column_that_is_not_there(self, service):
        metadata = tables_of(service).metadata
        for name, rule in rules_of(service).items():
            table = metadata.tables[f"{service}.{name}"]
            assert isinstance(rule, Keep) or rule.column in table.c

    @pytest.mark.parametrize("service", STORES)
    def test_keeps_nothing_without_a_reason_and_no_column_of_words_about_the_person(self, service):
        metadata = tables_of(service).metadata
        for name, rule in rules_of(service).items():
            if isinstance(rule, Remove):
                continue
            assert rule.why
            columns = set(metadata.tables[f"{service}.{name}"].c.keys())
            assert not columns & {"display_name", "email", "locale", "preferences", "wants_mail"}

    def test_reaches_every_service_that_keeps_rows(self):
        assert set(UserDeleted.kind.consumers) == set(STORES) - {"identity"}
