# What a power cut does to a disk: the ext4 file system at the path given stops at once, and whatever was not synced,
# its journal too, is lost. EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH (Linux, fs/ext4/ext4.h).
use strict;
use warnings;
my $flags = pack "L", 2;
open my $root, "<", $ARGV[0] or die "$ARGV[0]: $!\n";
ioctl $root, 0x8004587D, $flags or die "$ARGV[0]: cannot be shut down: $!\n";
