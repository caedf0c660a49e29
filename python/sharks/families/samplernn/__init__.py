"""SampleRNN (Mehri et al. 2017): spec, reference in numpy, model in torch."""
