# SPDX-License-Identifier: Apache-2.0
"""What WebAgg, the back end of matplotlib that shows a window as a page in a browser, does not do by itself."""

import contextlib

# The page shows each picture when the browser has decoded it, and forgets it if the next one comes before. But most
# hold no more than what has changed, so that was never seen: a piece of a stroke. Here each is shown, in their order.
SHOW_ALL_PICTURES = """
(function () {
    const make = mpl.figure.prototype._make_on_message_function;
    mpl.figure.prototype._make_on_message_function = function (fig) {
        const take = make(fig);
        let shown = Promise.resolve();
        return function (message) {
            if (!(message.data instanceof Blob)) {
                return take(message);
            }
            const is_whole = fig.image_mode === "full";
            const decoded = createImageBitmap(message.data);
            shown = shown.then(() => decoded).then(function (picture) {
                if (is_whole) {
                    fig.context.clearRect(0, 0, fig.canvas.width, fig.canvas.height);
                }
                fig.context.drawImage(picture, 0, 0);
            }).catch(console.error);
            fig.updated_canvas_event();
            fig.waiting = false;
        };
    };
})();
"""


def forgive_closed_pages():
    """Lets WebAgg go on when a page is closed while something is on its way to it.

    As it is, that fails in the middle of the drawing, and a page that is loaded at that moment stays empty.
    """
    from matplotlib.backends.backend_webagg import WebAggApplication
    from tornado.websocket import WebSocketClosedError, WebSocketHandler

    def write_message(self, *arguments, **options):
        with contextlib.suppress(WebSocketClosedError):
            written = WebSocketHandler.write_message(self, *arguments, **options)
            written.add_done_callback(lambda written: written.cancelled() or written.exception())

    WebAggApplication.WebSocket.write_message = write_message


def show_all_pictures():
    """Lets the page show each picture that it gets."""
    from matplotlib.backends.backend_webagg_core import FigureManagerWebAgg

    script_of_page = FigureManagerWebAgg.get_javascript
    FigureManagerWebAgg.get_javascript = lambda: script_of_page() + SHOW_ALL_PICTURES
