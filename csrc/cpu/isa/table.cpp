// The Engine of this instruction set.
#include "cpu/isa/functions.h"

#define PDRT_TEXT_OF(name) #name
#define PDRT_TEXT(name) PDRT_TEXT_OF(name)

namespace pdrt::cpu::PDRT_ISA {

// constexpr: built by the compiler, so that no code of this instruction set runs before it is
// chosen.
extern constexpr Engine kEngine{PDRT_TEXT(PDRT_ISA),
                                convolve,
                                depthwise,
                                split,
                                pool,
                                plane_sum,
                                plane_max,
                                apply,
                                apply_to_constant,
                                fully_connected,
                                add_inputs,
                                finish_sums,
                                weights_by_input,
                                fill,
                                clear_border,
                                clear_borders,
                                load_plane,
                                store_plane,
                                winograd_weights,
                                winograd_panel,
                                winograd_listed,
                                winograd_input,
                                winograd_output,
                                taps_in_lanes,
                                patches_in_lanes,
                                kernels_in_lanes,
                                strided_weights,
                                strided_input,
                                strided_kernels,
                                all_finite,
                                fma_burst};

}  // namespace pdrt::cpu::PDRT_ISA
