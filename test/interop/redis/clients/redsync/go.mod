module leasehold/interop/redsync

go 1.21
