#include "amphora/io/json.h"

#include <nlohmann/json.hpp>

#include "amphora/core/error.h"

namespace amphora::io {

namespace {

using nlohmann::ordered_json;

Json from_library(const ordered_json& json) {
  switch (json.type()) {
    case ordered_json::value_t::boolean: return json.get<bool>();
    case ordered_json::value_t::number_integer: return json.get<std::int64_t>();
    case ordered_json::value_t::number_unsigned: return json.get<std::uint64_t>();
    case ordered_json::value_t::number_float: return json.get<double>();
    case ordered_json::value_t::string: return json.get<std::string>();
    case ordered_json::value_t::array: {
      Json result = Json::array();
      for (const ordered_json& element : json) result.push_back(from_library(element));
      return result;
    }
    case ordered_json::value_t::object: {
      Json result = Json::object();
      for (const auto& [name, value] : json.items()) result[name] = from_library(value);
      return result;
    }
    default: return {};
  }
}

template <class Kind>
ordered_json to_library(const Kind& value) {
  if constexpr (std::is_same_v<Kind, Json::Array>) {
    ordered_json result = ordered_json::array();
    for (const Json& element : value) result.push_back(element.visit([](const auto& v) { return to_library(v); }));
    return result;
  } else if constexpr (std::is_same_v<Kind, Json::Object>) {
    ordered_json result = ordered_json::object();
    for (const auto& [name, member] : value) {
      result[name] = member.visit([](const auto& v) { return to_library(v); });
    }
    return result;
  } else {
    return value;
  }
}

}  // namespace

Json::Json() = default;
Json::Json(std::nullptr_t) {}
Json::Json(const char* text) : value_(std::string(text)) {}
Json::Json(std::string text) : value_(std::move(text)) {}
Json::Json(std::string_view text) : value_(std::string(text)) {}
Json::Json(Array elements) : value_(std::move(elements)) {}
Json::Json(std::initializer_list<Member> members) : value_(Object(members)) {}

Json Json::object() {
  Json result;
  result.value_ = Object();
  return result;
}

bool Json::is_number() const {
  return std::holds_alternative<double>(value_) || std::holds_alternative<std::int64_t>(value_) ||
         std::holds_alternative<std::uint64_t>(value_);
}

template <class Kind>
const Kind& Json::expect(const char* what) const {
  const Kind* found = std::get_if<Kind>(&value_);
  require(found != nullptr, "JSON has {} where {} is expected", dump(), what);
  return *found;
}

bool Json::flag() const { return expect<bool>("true or false"); }
const std::string& Json::text() const { return expect<std::string>("a text"); }
const Json::Array& Json::elements() const { return expect<Array>("an array"); }
const Json::Object& Json::members() const { return expect<Object>("an object"); }

double Json::number() const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<std::uint64_t>(&value_)) return static_cast<double>(*value);
  return expect<double>("a number");
}

std::uint64_t Json::count() const {
  const auto* value = std::get_if<std::int64_t>(&value_);
  if (value != nullptr && *value >= 0) return static_cast<std::uint64_t>(*value);
  return expect<std::uint64_t>("a whole number of at least 0");
}

const Json* Json::find(std::string_view name) const {
  if (!is_object()) return nullptr;
  for (const auto& [own, value] : members()) {
    if (own == name) return &value;
  }
  return nullptr;
}

const Json& Json::at(std::string_view name) const {
  const Json* found = find(name);
  require(found != nullptr, "JSON has no member '{}'", name);
  return *found;
}

Json& Json::operator[](std::string_view name) {
  if (is_null()) value_ = Object();
  members();
  auto& own = std::get<Object>(value_);
  for (auto& [known, value] : own) {
    if (known == name) return value;
  }
  return own.emplace_back(name, Json()).second;
}

void Json::push_back(Json element) {
  if (is_null()) value_ = Array();
  elements();
  std::get<Array>(value_).push_back(std::move(element));
}

bool Json::operator==(const Json& other) const {
  return is_number() && other.is_number() ? number() == other.number() : value_ == other.value_;
}

std::string Json::dump(int indent) const {
  const ordered_json json = visit([](const auto& value) { return to_library(value); });
  return json.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

std::optional<Json> Json::parse(std::string_view text) {
  const auto json = ordered_json::parse(text, nullptr, false);
  if (json.is_discarded()) return std::nullopt;
  return from_library(json);
}

}  // namespace amphora::io
