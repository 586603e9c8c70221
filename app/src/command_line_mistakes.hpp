// SPDX-License-Identifier: Apache-2.0
// What is wrong with a command line, with the nearest command or option.
#pragma once

#include <string>

namespace CLI {
class App;
class Error;
}  // namespace CLI

namespace stembridge::app {

/// One line for the terminal. @param error of parsing the command line with `program`
std::string mistake_in_words(const CLI::App& program, const CLI::Error& error);

}  // namespace stembridge::app
