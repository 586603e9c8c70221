// SPDX-License-Identifier: Apache-2.0
#include "terms/spin_constants.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::tb {

std::map<int, Eigen::MatrixXd> read_spin_constants(const std::vector<std::filesystem::path>& folders) {
    std::map<int, Eigen::MatrixXd> constants;
    for (const auto& folder : folders) {
        const std::filesystem::path file = folder / "spinw.txt";
        if (!std::filesystem::is_regular_file(file)) continue;
        std::ifstream stream(file);
        std::string line;
        int number = 0, z = 0;
        std::vector<double> values;
        const auto finish = [&] {
            if (z == 0 || constants.count(z) != 0) return;
            const auto n =
                static_cast<Eigen::Index>(std::lround(std::sqrt(static_cast<double>(values.size()))));
            if (values.empty() || n * n != static_cast<Eigen::Index>(values.size()))
                throw FileError(fmt::format("{}:{}: {} spin constants of {} are no square matrix",
                                            file.string(), number, values.size(), element_symbol(z)));
            constants[z] = Eigen::Map<const Eigen::MatrixXd>(values.data(), n, n);
        };
        while (std::getline(stream, line)) {
            ++number;
            const auto begin = line.find_first_not_of(" \t\r");
            if (begin == std::string::npos || line[begin] == '#') continue;
            if (const auto colon = line.find(':'); colon != std::string::npos) {
                finish();
                try {
                    z = atomic_number(line.substr(begin, colon - begin));
                } catch (const InputError& error) {
                    throw FileError(fmt::format("{}:{}: {}", file.string(), number, error.what()));
                }
                values.clear();
                continue;
            }
            std::istringstream words(line);
            double value = 0;
            while (words >> value) values.push_back(value);
            if (!words.eof() || z == 0)
                throw FileError(
                    fmt::format("{}:{}: expected \"Element:\" or rows of numbers", file.string(), number));
        }
        finish();
    }
    return constants;
}

}  // namespace stembridge::tb
