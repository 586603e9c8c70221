// SPDX-License-Identifier: Apache-2.0
// Measures of time that keep within a time.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

#include "stembridge/base/context.hpp"
#include "stembridge/base/timer.hpp"

namespace stembridge::bench {

/// Best of at least one call and of as many more, up to `repeats`, as fit into `seconds`.
inline double best_time(int repeats, double seconds, const std::function<void()>& task) {
    const Timer clock;
    double best = 1e99;
    for (int k = 0; k < repeats; ++k) {
        if (k > 0 && clock.seconds() * (k + 1) / k > seconds) break;
        const Timer timer;
        task();
        best = std::min(best, timer.seconds());
    }
    return best;
}

/// Asks the computations of its context to stop after some seconds.
class Alarm {
  public:
    explicit Alarm(double seconds)
        : watch_([this, seconds](const std::stop_token& ended) {
              std::unique_lock lock(mutex_);
              over_.wait_for(lock, ended, std::chrono::duration<double>(seconds), [] { return false; });
              if (!ended.stop_requested()) source_.request_stop();
          }) {}
    Context context() const {
        Context context;
        context.stop = source_.get_token();
        return context;
    }

  private:
    std::stop_source source_;
    std::mutex mutex_;
    std::condition_variable_any over_;
    std::jthread watch_;  ///< last: ends before what it uses
};

}  // namespace stembridge::bench
