#include "amphora/app/progress.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace amphora::app {

namespace {

constexpr auto kInterval = std::chrono::milliseconds(100);
constexpr std::size_t kBarWidth = 20;

std::size_t terminal_width() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace

std::string describe(const ProgressState& state) {
  std::string text = fmt::format("loss {:.4f}  {:.0f} {}/s", state.loss, state.items_per_second, state.unit);
  if (state.scaled) text += fmt::format("  loss scale {}  skipped {}", state.loss_scale, state.skipped);
  return text;
}

Progress::Progress(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0) {}

bool Progress::wants_bar() const {
  return terminal_ && !quiet_ && std::chrono::steady_clock::now() - last_ >= kInterval;
}

void Progress::bar(const ProgressState& state) {
  if (!wants_bar()) return;
  last_ = std::chrono::steady_clock::now();
  drawn_ = true;
  const double share = static_cast<double>(state.step) / static_cast<double>(std::max<std::int64_t>(1, state.steps));
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(kBarWidth));
  std::string line =
      fmt::format("epoch {}/{} [{}{}] {:3.0f} %  {}", state.epoch, state.epochs, std::string(filled, '='),
                  std::string(kBarWidth - filled, ' '), 100.0 * share, describe(state));
  // A longer line would wrap, and the next one could not overwrite it.
  line.resize(std::min(line.size(), terminal_width() - 1));
  fmt::print(stderr, "\r\x1b[K{}", line);
}

void Progress::epoch_done(const ProgressState& state) {
  if (quiet_ || terminal_) return;
  fmt::print(stderr, "epoch {}/{}  {}\n", state.epoch, state.epochs, describe(state));
}

void Progress::clear() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
  drawn_ = false;
}

}  // namespace amphora::app
