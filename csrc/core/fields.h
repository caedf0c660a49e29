// The fields of a spec by name, as some program wrote them. A family takes each by name and type; finish() refuses what
// is left over, for a model played without it would be another model.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/check.h"

namespace sharks {

// What a word means; refuses one that is not among those known. `what` begins the sentence.
template <typename T>
T one_of(const std::string& what, const std::string& word, std::initializer_list<std::pair<const char*, T>> known) {
  std::string names;
  for (const auto& [name, meaning] : known) {
    if (word == name) return meaning;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  refuse(what, " is '", word, "', which this engine does not know; known are ", names);
}

class Fields {
 public:
  using Value = std::variant<bool, int64_t, double, std::string, std::vector<int>>;

  explicit Fields(std::string family) : family_(std::move(family)) {}
  void add(const std::string& name, Value value);

  // Each throws unless the field is here, with a value of its type.
  bool flag(const std::string& name);
  int integer(const std::string& name);
  double number(const std::string& name);  // or a whole one
  std::vector<int> integers(const std::string& name);
  template <typename T>
  T choice(const std::string& name, std::initializer_list<std::pair<const char*, T>> known) {
    return one_of<T>(called(name), text(name), known);
  }

  // Take fields that mean nothing to an engine, whatever their values.
  void drop(std::initializer_list<const char*> names);

  void finish() const;

 private:
  struct Field {
    Value value;
    bool taken;
  };
  std::string called(const std::string& name) const { return family_ + " spec: field '" + name + "'"; }
  Value& take(const std::string& name);
  const std::string& text(const std::string& name);
  [[noreturn]] void refuse_type(const std::string& name, const char* wanted) const;

  std::string family_;
  std::map<std::string, Field> fields_;
};

}  // namespace sharks
