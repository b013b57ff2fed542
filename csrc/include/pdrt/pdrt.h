// pdrt: convolutional networks that change size with their input. Include this.
#pragma once

#include "pdrt/error.h"
#include "pdrt/model.h"
#include "pdrt/session.h"
#include "pdrt/tensor.h"
#include "pdrt/writer.h"
