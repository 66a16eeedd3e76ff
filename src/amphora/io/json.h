// JSON: what the programs write for others, and read of each other.
//
//   const io::Json report = {{"passed", true}, {"devices", names}, {"seconds", 1.5}};
//   io::write_file("report.json", report.dump(2) + '\n');
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace amphora::io {

// A value with all that it holds. An object keeps the order in which it was written.
class Json {
 public:
  using Member = std::pair<std::string, Json>;  // name and value
  using Array = std::vector<Json>;
  using Object = std::vector<Member>;

  Json();  // null
  Json(std::nullptr_t);
  template <class Number, class = std::enable_if_t<std::is_arithmetic_v<Number>>>
  Json(Number value) {
    if constexpr (std::is_same_v<Number, bool>) {
      value_ = value;
    } else if constexpr (std::is_floating_point_v<Number>) {
      value_ = static_cast<double>(value);
    } else if constexpr (std::is_signed_v<Number>) {
      value_ = static_cast<std::int64_t>(value);
    } else {
      value_ = static_cast<std::uint64_t>(value);
    }
  }
  Json(const char* text);
  Json(std::string text);
  Json(std::string_view text);
  Json(Array elements);
  template <class Element>
  Json(const std::vector<Element>& elements) : Json(Array(elements.begin(), elements.end())) {}
  Json(std::initializer_list<Member> members);

  static Json array() { return Json(Array()); }
  static Json object();

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
  bool is_number() const;
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  // These throw Error, saying what was found, where the value is of another kind or the member is missing.
  bool flag() const;
  double number() const;
  std::uint64_t count() const;  // a whole number of at least 0
  const std::string& text() const;
  const Array& elements() const;
  const Object& members() const;
  const Json& at(std::string_view name) const;

  bool contains(std::string_view name) const { return find(name) != nullptr; }
  // The member; null, which it becomes, where there is none. Turns null into an object.
  Json& operator[](std::string_view name);
  void push_back(Json element);  // turns null into an array

  bool operator==(const Json& other) const;

  // Calls `visitor` with what the value is: nullptr, a bool, a number, a text, an Array or an Object.
  template <class Visitor>
  auto visit(Visitor&& visitor) const {
    return std::visit(std::forward<Visitor>(visitor), value_);
  }

  // Text on one line, or with lines indented by so many blanks. A number that is not finite becomes null, bytes that
  // are no UTF-8 become U+FFFD.
  std::string dump(int indent = -1) const;
  // Nothing where the text is not JSON.
  static std::optional<Json> parse(std::string_view text);

 private:
  const Json* find(std::string_view name) const;
  template <class Kind>
  const Kind& expect(const char* what) const;

  std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object> value_;
};

}  // namespace amphora::io
