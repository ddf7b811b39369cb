"""Logs that stay small, processes told apart, mails kept."""

import os
from email.message import EmailMessage

from hack.stack.leftovers import find_leftovers, is_alive, start_ticks
from hack.stack.mail_sink import MailBox
from hack.stack.supervisor import bound_log


class TestBoundLog:
    def test_moves_the_text_of_a_long_log_aside_and_lets_its_writer_go_on(self, tmp_path):
        log = tmp_path / "a.log"
        with log.open("ab", buffering=0) as writer:
            writer.write(b"x" * 100)
            bound_log(log, 50)
            writer.write(b"after")
        assert log.read_bytes() == b"after"
        assert (tmp_path / "a.log.1").read_bytes() == b"x" * 100

    def test_leaves_a_short_log_alone(self, tmp_path):
        log = tmp_path / "a.log"
        log.write_text("short")
        bound_log(log, 50)
        assert [path.name for path in tmp_path.iterdir()] == ["a.log"]


class TestIsAlive:
    def test_knows_a_process_by_its_start_time_too(self):
        mine = start_ticks(os.getpid())
        assert is_alive(os.getpid(), mine)
        assert not is_alive(os.getpid(), mine + 1)

    def test_is_false_for_no_process(self):
        assert not is_alive(0, 0)
        assert start_ticks(2**22 + 1) == 0


class TestFindLeftovers:
    def test_finds_nothing_that_belongs_to_nobody(self, tmp_path):
        assert find_leftovers("an id that nobody has", tmp_path, ()) == []


class TestMailBox:
    def mail(self, subject="Hello"):
        message = EmailMessage()
        message["Subject"] = subject
        message["From"] = "kourse <no-reply@kourse.example>"
        message.set_content("Plain Grüße")
        message.add_alternative("<p>Rich</p>", subtype="html")
        return message.as_bytes()

    def test_lists_both_bodies_and_the_headers(self, tmp_path):
        box = MailBox(tmp_path / "mails")
        box.add("no-reply@kourse.example", ["ana@example.org"], self.mail())
        (mail,) = box.listing(None)
        assert mail["text"].strip() == "Plain Grüße"
        assert mail["html"].strip() == "<p>Rich</p>"
        assert mail["headers"]["From"] == "kourse <no-reply@kourse.example>"
        assert (mail["id"], mail["to"], mail["subject"]) == (1, ["ana@example.org"], "Hello")

    def test_filters_by_recipient_in_any_case(self, tmp_path):
        box = MailBox(tmp_path / "mails")
        box.add("x", ["Ana@example.org"], self.mail())
        box.add("x", ["ben@example.org"], self.mail())
        assert [mail["id"] for mail in box.listing("ana@EXAMPLE.org")] == [1]

    def test_lists_what_came_after_a_mail_though_older_ones_are_gone(self, tmp_path):
        box = MailBox(tmp_path / "mails")
        box.add("x", ["ana@example.org"], self.mail())
        box.clear()
        for name in ("ana", "ben", "ana"):
            box.add("x", [f"{name}@example.org"], self.mail())
        assert [mail["id"] for mail in box.listing(None, after=2)] == [3, 4]
        assert [mail["id"] for mail in box.listing("ana@example.org", after=2)] == [4]
        assert box.listing(None, after=4) == []

    def test_has_every_mail_again_after_a_restart_even_if_the_last_was_cut_off(self, tmp_path):
        path = tmp_path / "mails"
        MailBox(path).add("x", ["ana@example.org"], self.mail())
        with path.open("a") as file:
            file.write('{"id": 2, "to": ["cut o')
        box = MailBox(path)
        box.add("x", ["ana@example.org"], self.mail("Second"))
        assert [mail["subject"] for mail in box.listing(None)] == ["Hello", "Second"]
        assert [mail["subject"] for mail in MailBox(path).listing(None)] == ["Hello", "Second"]

    def test_counts_on_after_it_was_emptied(self, tmp_path):
        box = MailBox(tmp_path / "mails")
        box.add("x", ["ana@example.org"], self.mail())
        box.clear()
        box.add("x", ["ana@example.org"], self.mail())
        assert [mail["id"] for mail in box.listing(None)] == [2]
