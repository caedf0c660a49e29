#include "core/fields.h"

#include <limits>
#include <sstream>

namespace sharks {
namespace {

// A value as a person would write it.
struct Written {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(const std::string& value) const { return "'" + value + "'"; }
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const {
    std::ostringstream out;
    out << value;
    return out.str();
  }
  std::string operator()(const std::vector<int>& values) const {
    std::string out = "[";
    for (size_t i = 0; i < values.size(); ++i) out += (i ? ", " : "") + std::to_string(values[i]);
    return out + "]";
  }
};

}  // namespace

void Fields::add(const std::string& name, Value value) {
  const bool fresh = fields_.emplace(name, Field{std::move(value), false}).second;
  SHARKS_CHECK(fresh, called(name), " is given twice");
}

bool Fields::flag(const std::string& name) {
  const bool* value = std::get_if<bool>(&take(name));
  if (!value) refuse_type(name, "true or false");
  return *value;
}

int Fields::integer(const std::string& name) {
  using Limits = std::numeric_limits<int>;
  const int64_t* value = std::get_if<int64_t>(&take(name));
  if (!value || *value < Limits::min() || *value > Limits::max()) refuse_type(name, "a whole number below 2^31");
  return static_cast<int>(*value);
}

double Fields::number(const std::string& name) {
  const Value& value = take(name);
  if (const double* number = std::get_if<double>(&value)) return *number;
  if (const int64_t* whole = std::get_if<int64_t>(&value)) return static_cast<double>(*whole);
  refuse_type(name, "a number");
}

std::vector<int> Fields::integers(const std::string& name) {
  const std::vector<int>* values = std::get_if<std::vector<int>>(&take(name));
  if (!values) refuse_type(name, "a list of whole numbers");
  return *values;
}

const std::string& Fields::text(const std::string& name) {
  const std::string* value = std::get_if<std::string>(&take(name));
  if (!value) refuse_type(name, "a word");
  return *value;
}

void Fields::drop(std::initializer_list<const char*> names) {
  for (const char* name : names) take(name);
}

void Fields::finish() const {
  std::string unknown;
  for (const auto& [name, field] : fields_)
    if (!field.taken) unknown += (unknown.empty() ? "'" : ", '") + name + "'";
  SHARKS_CHECK(unknown.empty(), family_, " spec: this engine does not know ", unknown,
               ", which a newer sharks probably wrote; install the newest sharks-audio to play this model");
}

Fields::Value& Fields::take(const std::string& name) {
  const auto found = fields_.find(name);
  SHARKS_CHECK(
      found != fields_.end(), called(name),
      " is missing; the engine needs every field, so load the pack with the sharks that this engine is part of");
  SHARKS_CHECK(!found->second.taken, called(name), " is taken twice");
  found->second.taken = true;
  return found->second.value;
}

void Fields::refuse_type(const std::string& name, const char* wanted) const {
  refuse(called(name), " is ", std::visit(Written{}, fields_.at(name).value), "; wanted ", wanted);
}

}  // namespace sharks
