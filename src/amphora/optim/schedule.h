// Learning rate schedules: the rate as a function of the number of steps taken, counted from 0.
//
// A schedule counts the steps that were asked for; one that the GradScaler skipped on the device counts too, since the
// host doesn't wait to know.
#pragma once

#include <cstdint>
#include <functional>

namespace amphora::optim {

using Schedule = std::function<float(std::int64_t step)>;

Schedule constant(float lr);
// Rises linearly over `warmup` steps, lr * (step + 1) / warmup, then falls along half a cosine to `min_lr` at `total`
// (Loshchilov & Hutter, ICLR 2017, eq. 5). Throws Error unless 0 <= warmup <= total.
Schedule warmup_cosine(float lr, std::int64_t warmup, std::int64_t total, float min_lr = 0.0f);
// lr * factor^(step / interval), the quotient rounded down. Throws Error unless interval > 0.
Schedule step_decay(float lr, std::int64_t interval, float factor);

}  // namespace amphora::optim
