"""Run the notebooks and turn them into Markdown pages with their pictures."""

import os
import re
import tempfile
import warnings
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter
from nbformat import NotebookNode


def render(source: Path, out: Path) -> None:
    """Run `source` in an empty folder and write OUT.md and OUT_files/.

    Errors: CellExecutionError when a cell fails; nothing is written then.
    """
    notebook: NotebookNode = nbformat.read(source, as_version=4)
    exporter = MarkdownExporter()
    with tempfile.TemporaryDirectory() as work, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.environ |= {"IPYTHONDIR": work, "PYDEVD_DISABLE_FILE_VALIDATION": "1", "NO_COLOR": "1"}
        kernel = {"kernel_name": "python3", "resources": {"metadata": {"path": work}}}
        NotebookClient(notebook, timeout=600, **kernel).execute()
        body, resources = exporter.from_notebook_node(notebook, {"output_files_dir": f"{out.name}_files"})
    out.parent.mkdir(parents=True, exist_ok=True)
    for name, data in resources["outputs"].items():
        path = out.parent / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    out.with_suffix(".md").write_text(re.sub(r"!\[png\]", f"![{source.stem}]", body))
