// SPDX-License-Identifier: Apache-2.0
#include "helpers.hpp"

#include <fmt/format.h>

#include "stembridge/base/ranks.hpp"
#include "stembridge/tb/helpers.hpp"

namespace stembridge::app {

void with_helpers(Session& session, const std::function<void()>& work) {
    const Ranks ranks;
    const tb::Helpers helpers(ranks);  // the others stay in here until the first is done
    if (!ranks.is_first()) return;
    work();
    if (ranks.size() > 1 && !helpers.were_called())
        session.warning(
            fmt::format("one of the {} processes did all the work: they share a sweep of `run`, the networks "
                        "of `train`, and "
                        "diagonalisations with --solver elpa",
                        ranks.size()));
}

}  // namespace stembridge::app
