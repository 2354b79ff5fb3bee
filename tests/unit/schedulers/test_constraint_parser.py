"""Placement constraints in Hadoop's syntax."""

from __future__ import annotations

import re

import pytest

from kubeyarn.model.constraints import AllOf, AnyOf, Cardinality, Namespace, Scope, Target
from kubeyarn.model.errors import SpecError
from kubeyarn.schedulers.constraint_parser import parse

HBASE = (Target("hbase"),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("in,node,hbase", Cardinality(Scope.NODE, HBASE, 1)),
        ("IN, Rack, hbase", Cardinality(Scope.RACK, HBASE, 1)),
        ("notin,node,hbase", Cardinality(Scope.NODE, HBASE, 0, 0)),
        ("notin,node,a,b", Cardinality(Scope.NODE, (Target("a"), Target("b")), 0, 0)),
        ("cardinality,node,hbase,0,3", Cardinality(Scope.NODE, HBASE, 0, 3)),
        ("cardinality,rack,a,b,1,2", Cardinality(Scope.RACK, (Target("a"), Target("b")), 1, 2)),
    ],
)
def test_single_constraints(text, says):
    found = parse(text)

    assert (found.text, found.expression) == (text, says)


@pytest.mark.parametrize(
    ("tag", "target"),
    [
        ("self/a", Target("a")),
        ("not-self/a", Target("a", Namespace.NOT_SELF)),
        ("all/a", Target("a", Namespace.ALL)),
        ("app-id/application_1_0002/a", Target("a", Namespace.APP_ID, "application_1_0002")),
        ("app-tag/nightly/a", Target("a", Namespace.APP_TAG, "nightly")),
    ],
)
def test_namespaces(tag, target):
    assert parse(f"in,node,{tag}").expression == Cardinality(Scope.NODE, (target,), 1)


def test_conjunctions_nest():
    found = parse("and(in,rack,a:or(notin,node,b:cardinality,node,c,0,2))").expression

    assert found == AllOf(
        (
            Cardinality(Scope.RACK, (Target("a"),), 1),
            AnyOf(
                (
                    Cardinality(Scope.NODE, (Target("b"),), 0, 0),
                    Cardinality(Scope.NODE, (Target("c"),), 0, 2),
                )
            ),
        )
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "allowed: in, notin, cardinality"),
        ("near,node,a", "found 'near'"),
        ("in", "found the scope ''"),
        ("in,host,a", "allowed: node, rack"),
        ("in,node", "one tag or more"),
        ("in,node,a,,b", "one tag or more"),
        ("cardinality,node,a,1", "cardinality,SCOPE,TAG,...,MIN,MAX"),
        ("cardinality,node,a,x,3", "cardinality,SCOPE,TAG,...,MIN,MAX"),
        ("cardinality,node,a,0,²", "found '²' in"),
        ("cardinality,node,a,0,٣", "from 0 to 2147483647 in decimal digits"),
        ("cardinality,node,a,0,2147483648", "from 0 to 2147483647 in decimal digits"),
        ("cardinality,node,a,0," + "9" * 4000, "from 0 to 2147483647 in decimal digits"),
        ("in,node,app-id/application_" + "9" * 5000 + "_0001/a", "application id"),
        ("cardinality,node,a,3,1", "at most as many as MAX"),
        ("in,node,everybody/a", "found the namespace 'everybody'"),
        ("in,node,app-id/a", "app-id/<application id>"),
        ("in,node,app-id/wordcount/a", "application"),
        ("in,node,all/x/a", "found the namespace 'all/x'"),
        ("in,node,java=1.8", "attributes of nodes are not"),
        ("and(in,node,a", "closing bracket"),
        ("and(in,node,a:or(in,node,b)", "closing bracket"),
        ("and(in,node,a)):in,node,b)", "closing brackets"),
        ("and()", "allowed: in, notin, cardinality"),
        ("in,node,a:in,node,b", "allowed: in, notin, cardinality"),
        ("and(" * 20 + "in,node,a" + ")" * 20, "deep"),
    ],
)
def test_what_is_none_says_why(text, message):
    with pytest.raises(SpecError, match=re.escape(message)):
        parse(text)
