#include "amphora/io/json.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "amphora/core/error.h"

namespace amphora::io {
namespace {

using Names = std::vector<std::string>;

TEST(Json, KeepsTheOrderOfMembers) {
  Json json{{"b", 1}, {"a", "x"}};
  json["c"] = Names{"p", "q"};
  json["b"] = true;
  EXPECT_EQ(json.dump(), R"({"b":true,"a":"x","c":["p","q"]})");
  EXPECT_EQ(Json({{"a", Json{{"b", nullptr}}}}).dump(2), "{\n  \"a\": {\n    \"b\": null\n  }\n}");
}

TEST(Json, WritesNumbersWithAllTheirDigits) {
  EXPECT_EQ(Json(UINT64_MAX).dump(), "18446744073709551615");
  EXPECT_EQ(Json(-3).dump(), "-3");
  EXPECT_EQ(Json(1e-3f).dump(), "0.0010000000474974513");
  EXPECT_EQ(Json(65536.0f).dump(), "65536.0");
  EXPECT_EQ(Json(std::nan("")).dump(), "null");
  EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).dump(), "null");
}

TEST(Json, ReplacesBytesThatAreNoText) { EXPECT_EQ(Json("a\xE2\x82").dump(), "\"a\xEF\xBF\xBD\""); }

TEST(Json, ReadsWhatItWrites) {
  const Json json{{"whole", 7}, {"half", 0.5}, {"no", false}, {"none", nullptr}, {"names", Names{"p"}}};
  const std::optional<Json> read = Json::parse(json.dump(2));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, json);
  EXPECT_EQ(read->at("whole").count(), 7u);
  EXPECT_EQ(read->at("half").number(), 0.5);
  EXPECT_FALSE(read->at("no").flag());
  EXPECT_TRUE(read->at("none").is_null());
  EXPECT_EQ(read->at("names").elements().at(0).text(), "p");
  EXPECT_FALSE(read->contains("more"));
}

TEST(Json, IsNothingWhereTheTextIsCutOff) {
  EXPECT_FALSE(Json::parse("{\"a\": 1"));
  EXPECT_FALSE(Json::parse(""));
}

TEST(Json, SaysWhatItFoundInsteadOfWhatWasAsked) {
  const Json json{{"a", "x"}, {"b", -1}};
  EXPECT_THROW(json.at("c"), Error);
  EXPECT_THROW(json.at("b").count(), Error);
  EXPECT_THROW(json.elements(), Error);
  try {
    json.at("a").number();
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "JSON has \"x\" where a number is expected");
  }
}

}  // namespace
}  // namespace amphora::io
