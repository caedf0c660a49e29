"""One layer of rectified units (Le et al. 2015), the smallest family: spec, reference in numpy, model in torch."""
