# What a power cut does to a disk: the ext4 file system mounted at the path stops at once, and whatever was not synced,
# its journal too, is lost. EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH (Linux, fs/ext4/ext4.h).
#
# A host that has just been started may not have mounted its disk yet: then the path is the machine's own file system,
# which must never be told this. Only a loop device other than the one that the path's parent is on is.
use strict;
use warnings;
my ($path) = @ARGV;
my $flags = pack "L", 2;
my $LOOP = 7;    # Documentation/admin-guide/devices.txt
open my $root, "<", $path or die "$path: $!\n";
my $device = (stat $root)[0];
my $around = (stat "$path/..")[0];
exit 0 if $device == $around || ($device >> 8 & 0xfff) != $LOOP;
ioctl $root, 0x8004587D, $flags or die "$path: cannot be shut down: $!\n";
