#include "amphora/io/table.h"

#include <algorithm>

#include <fmt/format.h>

namespace amphora::io {

std::string table(const std::vector<Row>& rows, std::string_view alignment) {
  std::vector<std::size_t> widths(alignment.size());
  for (const Row& row : rows) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      widths[column] = std::max(widths[column], row[column].size());
    }
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
      if (column > 0) line += "  ";
      line += alignment[column] == 'r' ? fmt::format("{:>{}}", row[column], widths[column])
                                       : fmt::format("{:<{}}", row[column], widths[column]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace amphora::io
