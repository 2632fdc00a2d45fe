"""The tables of a batch's queue."""

from __future__ import annotations

from typing import Final

SCHEMA: Final = 1

TABLES: Final = """
create table if not exists facts (name text primary key, value text not null);
create table if not exists songs (
    id integer primary key, turn real not null, identity text not null unique, place text not null,
    origin text not null, title text not null, artist text not null, seconds real, wishes text not null,
    project text not null, kept integer not null, applied text not null, state text not null, stage text not null,
    step text not null, fraction real not null, running_at text not null, tries integer not null,
    not_before real not null,
    began real, ended real, spent_seconds real not null, was_done integer not null, cause text not null,
    hint text, exit_code integer not null, result text not null);
create index if not exists songs_by_state on songs (state, turn);
create table if not exists tries (
    song integer not null, number integer not null, began real not null, ended real, running_at text not null,
    state text not null, step text not null, cause text not null, exit_code integer not null,
    primary key (song, number));
create table if not exists steps (
    song integer not null, name text not null, seconds real not null, kept integer not null, at integer not null,
    primary key (song, name));
create table if not exists log (
    id integer primary key, at real not null, running_at text not null, song integer, words text not null);
create table if not exists asks (id integer primary key, at real not null, what text not null, song integer);
create table if not exists moves (id integer primary key autoincrement, song integer not null unique);
"""
# Songs that change get a new number in `moves`: whoever looks again reads those alone.
TRIGGERS: Final = tuple(
    f"create trigger if not exists songs_{what} after {what} on songs begin "  # noqa: S608 - our own names
    f"insert or replace into moves (song) values ({row}.id); end"
    for what, row in (("insert", "new"), ("update", "new"), ("delete", "old"))
)


# Where the number of a song stands.
NUMBERED: Final = (("songs", "id"), ("tries", "song"), ("steps", "song"), ("log", "song"), ("asks", "song"))
