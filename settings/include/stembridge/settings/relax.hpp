// SPDX-License-Identifier: Apache-2.0
// The table [relax].
#pragma once

#include "stembridge/io/config.hpp"
#include "stembridge/md/pre_relax.hpp"
#include "stembridge/md/relax.hpp"

namespace stembridge::settings {

/// The keys of [relax].
io::Schema relax_keys();

/// How to relax, by [relax].
md::RelaxOptions relax_options(const io::Config& config);

/// Straightens raw coordinates with the force field, where [relax] asks for it and it has parameters.
/// @throw InputError when it is asked for by name and has none
md::PreRelaxResult pre_relax(const io::Config& config, Structure& structure, const Context& context);

}  // namespace stembridge::settings
