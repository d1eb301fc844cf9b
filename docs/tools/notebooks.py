"""Run the notebooks and turn them into Markdown pages with their pictures."""

import asyncio
import os
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
    work = out.parent / f"{out.name}_work"
    work.mkdir(parents=True)
    notebook: NotebookNode = nbformat.read(source, as_version=4)
    os.environ |= {
        "JUPYTER_PLATFORM_DIRS": "1",
        "IPYTHONDIR": str(work),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = NotebookClient(
            notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": work}}
        )
        asyncio.run(client.async_execute())
        body, resources = MarkdownExporter().from_notebook_node(
            notebook, {"output_files_dir": f"{out.name}_files", "unique_key": out.name}
        )
    for name, data in resources["outputs"].items():
        path = out.parent / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    out.with_suffix(".md").write_text(body)
