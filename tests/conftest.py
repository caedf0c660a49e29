"""What all tests stand on."""

import signal

# Shells let what they start in the background ignore Ctrl-C; the tests send it to themselves and to what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
