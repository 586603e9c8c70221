// SPDX-License-Identifier: Apache-2.0
#include "stembridge/base/ranks.hpp"

#include <fmt/format.h>

#include <exception>
#include <string>

#include "ranks_communicator.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge {

Ranks::Ranks(Processes which)
    : communicator_(which == Processes::all ? std::make_unique<Communicator>() : nullptr) {}
Ranks::~Ranks() = default;

int Ranks::rank() const {
    return communicator_ ? communicator_->rank : 0;
}

int Ranks::size() const {
    return communicator_ ? communicator_->size : 1;
}

std::vector<std::size_t> Ranks::share_of(std::size_t n_tasks) const {
    std::vector<std::size_t> tasks;
    for (auto k = static_cast<std::size_t>(rank()); k < n_tasks; k += static_cast<std::size_t>(size()))
        tasks.push_back(k);
    return tasks;
}

void Ranks::together(const std::function<void()>& work) const {
    if (size() == 1) {
        work();
        return;
    }
    std::exception_ptr failure;
    std::string message;  // how it ended (s = stopped, f = failed), then the words
    try {
        work();
    } catch (const StoppedError& e) {
        failure = std::current_exception();
        message = std::string("s") + e.what();
    } catch (const std::exception& e) {
        failure = std::current_exception();
        message = std::string("f") + e.what();
    }
    const int first_failed = communicator_->smallest(failure ? rank() : size());
    if (first_failed == size()) return;
    message = communicator_->text_of(first_failed, message);
    if (failure) std::rethrow_exception(failure);
    const std::string text = fmt::format("process {} of {}: {}", first_failed, size(), message.substr(1));
    if (message.front() == 's') throw StoppedError(text);
    throw BackendError(text);
}

void Ranks::first_alone(const std::function<void()>& work) const {
    together([&] {
        if (is_first()) work();
    });
}

}  // namespace stembridge
