"""What sound may be here, in files and in arrays."""

LEAST_RATE, MOST_RATE = 1000, 768000  # Hz
MOST_CHANNELS = 64
LOUDEST = 4.0  # x full scale: lossy decoders overshoot a little, and what lies beyond full scale is clipped
LOUDEST_FLOAT = 64.0  # +36 dB: recorders with float samples go far beyond full scale, and lose nothing there
