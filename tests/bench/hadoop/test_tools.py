from __future__ import annotations

import pytest

from bench.hadoop import program


def test_a_machine_without_java_and_maven_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(program.CannotMeasureHadoop) as raised:
        program.class_path()

    said = str(raised.value)
    assert "`java`: install a JDK of Java 17" in said
    assert "`mvn`: install Apache Maven" in said
