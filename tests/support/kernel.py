"""Cells of a notebook, executed in a kernel as Jupyter does it."""

import asyncio

import pytest

from helpers import NO_SCREEN, PATIENCE, environment
from screenshots import decoded

NEXT_CELL = "print('the next cell')"


class Notebook:
    """Cells, executed one after the other in a kernel. The messages from the kernel are kept."""

    def __init__(self, cells, folder, on_message=None, **changes):
        nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
        pytest.importorskip("ipykernel")
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        self.cells = notebook.cells
        self.messages = []
        self.client = nbclient.NotebookClient(
            notebook, timeout=PATIENCE, allow_errors=True, resources={"metadata": {"path": str(folder)}}
        )
        process_message = self.client.process_message

        def keep_message(message, *arguments):
            self.messages.append(message)
            if on_message:
                on_message(self)
            return process_message(message, *arguments)

        self.client.process_message = keep_message
        # a notebook has its own way to show pictures, and it does not matter whether there is a screen
        self.client.execute(env=environment(**dict({"DISPLAY": NO_SCREEN}, **changes)))

    def interrupt(self):
        """What the button with the square does."""
        asyncio.ensure_future(self.client.km.interrupt_kernel())

    def text(self, cell):
        return "".join(output["text"] for output in self.cells[cell].outputs if output.output_type == "stream")

    def pictures(self, cell):
        data = [output["data"] for output in self.cells[cell].outputs if "data" in output]
        assert all("image/png" in formats for formats in data)
        return [decoded(formats["image/png"]) for formats in data]

    def errors(self, cell):
        return [output for output in self.cells[cell].outputs if output.output_type == "error"]

    def shown(self):
        """The messages that show a picture, or another one in its place."""
        return [message for message in self.messages if message["msg_type"] in ("display_data", "update_display_data")]

    def check_next_cell(self):
        assert (self.text(-1), self.errors(-1)) == ("the next cell\n", [])
