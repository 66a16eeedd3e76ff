// Text in columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace amphora::io {

using Row = std::vector<std::string>;

// Rows with columns as wide as their widest cell, two blanks between them. `alignment` has a letter a column: l or r.
std::string table(const std::vector<Row>& rows, std::string_view alignment);

}  // namespace amphora::io
