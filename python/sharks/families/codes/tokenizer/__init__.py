"""Sound to codes and back: log-mel frames in pairs, turned to their main axes, and quantised book after book."""
