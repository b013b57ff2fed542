// What the programs take, from the header that they share with the host.
#pragma once

#include "../../kernels/arguments.h"
