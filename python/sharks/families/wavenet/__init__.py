"""WaveNet (van den Oord et al. 2016): spec, reference in numpy, model in torch."""
