// The keys of __metadata__ that are the format's own.
#pragma once

namespace pdrt::metadata {

constexpr const char* kFormat = "pdrt.format";
constexpr const char* kGraph = "pdrt.graph";
constexpr const char* kProducer = "pdrt.producer";
constexpr const char* kSourceHash = "pdrt.source_sha256";

}  // namespace pdrt::metadata
