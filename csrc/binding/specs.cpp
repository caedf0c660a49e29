// Every field of a spec, by its name in Python.
#include "binding/specs.h"

#include <vector>

namespace sharks::binding {

WaveNetSpec wavenet_spec(const py::dict& d) {
  using Input = WaveNetSpec::Input;
  WaveNetSpec s;
  s.q_levels = d["q_levels"].cast<int>();
  s.input = choice<Input>(d, "input",
                          {{"one-hot", Input::kOneHot}, {"embedding", Input::kEmbedding}, {"scalar", Input::kScalar}});
  s.embed_dim = d["embed_dim"].cast<int>();
  s.input_filter_width = d["input_filter_width"].cast<int>();
  s.input_bias = d["input_bias"].cast<bool>();
  s.filter_width = d["filter_width"].cast<int>();
  s.dilations = d["dilations"].cast<std::vector<int>>();
  s.residual = d["residual"].cast<int>();
  s.dilation = d["dilation"].cast<int>();
  s.skip = d["skip"].cast<int>();
  s.head = d["head"].cast<int>();
  s.bias = d["bias"].cast<bool>();
  s.head_bias = d["head_bias"].cast<bool>();
  s.last_residual = d["last_residual"].cast<bool>();
  s.residual_scale = d["residual_scale"].cast<double>();
  s.skip_scale = d["skip_scale"].cast<double>();
  s.global_channels = d["global_channels"].cast<int>();
  s.global_classes = d["global_classes"].cast<int>();
  return s;
}

SampleRNNSpec samplernn_spec(const py::dict& d) {
  using Cell = SampleRNNSpec::Cell;
  using Skip = SampleRNNSpec::Skip;
  SampleRNNSpec s;
  s.q_levels = d["q_levels"].cast<int>();
  s.frame_sizes = d["frame_sizes"].cast<std::vector<int>>();
  s.dim = d["dim"].cast<int>();
  s.layers = d["layers"].cast<int>();
  s.cell = choice<Cell>(d, "cell",
                        {{"gru", Cell::kGru}, {"gru-reset-before", Cell::kGruResetBefore}, {"lstm", Cell::kLstm}});
  s.skip = choice<Skip>(d, "skip", {{"none", Skip::kNone}, {"graves", Skip::kGraves}, {"prism", Skip::kPrism}});
  s.skip_bias_all = choice<bool>(d, "skip_bias", {{"first", false}, {"all", true}});
  s.expand_top = d["expand_top"].cast<bool>();
  s.upsample_bias = d["upsample_bias"].cast<bool>();
  s.learned_state = choice<bool>(d, "initial_state", {{"zeros", false}, {"learned", true}});
  s.embed_dim = d["embed_dim"].cast<int>();
  s.relu_before_hidden = d["relu_before_hidden"].cast<bool>();
  s.hidden_layers = d["hidden_layers"].cast<int>();
  s.relu_logits = d["relu_logits"].cast<bool>();
  return s;
}

cpu::Type type_of(const std::string& dtype) {
  using cpu::Type;
  return one_of<Type>("dtype", dtype,
                      {{"float32", Type::kFloat32}, {"bfloat16", Type::kBfloat16}, {"int8", Type::kInt8}});
}

cuda::Precision precision_of(const std::string& dtype) {
  using cuda::Precision;
  return one_of<Precision>("dtype", dtype, {{"float32", Precision::kFloat32}, {"float16", Precision::kFloat16}});
}

}  // namespace sharks::binding
