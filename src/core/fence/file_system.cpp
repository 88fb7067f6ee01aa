#include "core/fence/file_system.hpp"

namespace leasehold::inline v0_1::core {

std::string_view network_file_system(unsigned long type) noexcept {
  switch (type & 0xFFFFFFFFul) {  // f_type is signed on some architectures
    case 0x6969:
      return "NFS";
    case 0x517B:
      return "SMB";
    case 0xFF534D42:
      return "CIFS";
    case 0xFE534D42:
      return "SMB2";
    case 0x01021997:
      return "9p";
    case 0x65735546:
      return "FUSE";
    case 0x00C36400:
      return "Ceph";
    case 0x5346414F:
      return "AFS";
    case 0x6B414653:
      return "kAFS";
    case 0x73757245:
      return "Coda";
    case 0x0BD00BD0:
      return "Lustre";
    case 0x47504653:
      return "GPFS";
    case 0x7461636F:
      return "OCFS2";
    case 0x01161970:
      return "GFS2";
    default:
      return {};
  }
}

}  // namespace leasehold::inline v0_1::core
