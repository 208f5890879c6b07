# nago data: what it shows, exports, and says about mistakes.

$ nago data shapes:classes=3,train=30,test=9
shapes: 3 classes, images 3x32x32 (channels x height x width), 0.1 MB in memory

   train     test  class
      10        3  circle
      10        3  square
      10        3  triangle
      30        9  in all

mean       0.3990 0.4386 0.3504
deviation  0.2249 0.2289 0.2105  (training images, pixels in [0, 1])
$ nago data shapes:classes=3,train=31,test=9:limit=4 --size 8x12 --json
{"kind":"shapes","channels":3,"height":8,"width":12,"classes":3,"class_names":["circle","square","triangle"],"train":{"images":4,"per_class":[2,1,1]},"test":{"images":1,"per_class":[1,0,0]},"mean":[0.3221099,0.3881229,0.3022059],"deviation":[0.1884037,0.1696606,0.1557624]}
$ nago data shapes:train=20,test=10 --export train.bin >/dev/null; wc -c <train.bin
61460
$ mkdir set && nago data shapes:train=200,test=50 --export set/data_batch_1.bin >/dev/null && nago data shapes:train=200,test=50 --split test -o set/test_batch.bin | tail -2
mean       0.3843 0.4046 0.3549
deviation  0.2198 0.2292 0.2106  (training images, pixels in [0, 1])
$ nago data cifar10:set
cifar10: 10 classes, images 3x32x32 (channels x height x width), 0.8 MB in memory

   train     test  class
      20        5  0
      20        5  1
      20        5  2
      20        5  3
      20        5  4
      20        5  5
      20        5  6
      20        5  7
      20        5  8
      20        5  9
     200       50  in all

mean       0.3843 0.4046 0.3549
deviation  0.2198 0.2292 0.2106  (training images, pixels in [0, 1])
$ nago data shapes:train=20,test=10 --split test -o test.bin >/dev/null; nago data shapes:train=20,test=10 --split test --export - | cmp - test.bin
$ nago data shapes:train=20,test=10,seed=1 -o seed.bin >/dev/null; cmp -s seed.bin train.bin
[1]
$ nago data shapes:classes=2,train=4,test=2,size=8 --preview | wc -l
23
$ nago data cifar10:set --size 16
nago data: the images of cifar10 have 32x32; --size is for shapes and images
[2]
$ nago data cifar10:set:limit=20 --size 32 | grep 'in all'
      20        5  in all
$ truncate -s 10000 set/data_batch_1.bin; nago data cifar10:set
set/data_batch_1.bin: error: truncated: record 4 (byte 9219) has 781 of 3073 bytes
  hint: is this a cifar10 file, and did its download finish?
[2]
$ nago data cifar10:nowhere
nowhere: error: No such file or directory
  hint: expected there: data_batch_1.bin ... and test_batch.bin, the binary version
[2]
$ nago data set
nago data: data set set: a folder needs the kind of its files before it
  hint: cifar10:set, cifar100:set, idx:set or images:set
[2]
$ nago data shape
nago data: data set shape: "shape" is no kind of data; did you mean "shapes"?
  hint: shapes, cifar10:DIR, cifar100:DIR, idx:DIR or images:DIR
[2]
$ nago data shapes:clases=3
nago data: data set shapes:clases=3: shapes has no option "clases"; did you mean "classes"?
  hint: its options are size, channels, classes, train, test, seed, noise, distractors, limit
[2]
$ nago data shapes:size=4
nago data: data set shapes:size=4: "size" must be N or HxW with sides in [8, 256], got "4"
[2]
$ nago data shapes --size 8x
nago data: --size must be N or HxW with sides from 1, got "8x" (see nago data --help)
[2]
$ nago data shapes:size=16 --size 8
nago data: data set shapes:size=16: height 16 is said here, but 8 is asked for
[2]
$ nago data shapes:train=9,test=9 --split val
nago data: --split: "val" is not one of train, test (see nago data --help)
[2]
$ nago data
nago data: an operand is missing: nago data [OPTION]... SPEC (see nago data --help)
[2]
$ nago data shapes --json --preview
nago data: --json and --preview do not go together (see nago data --help)
[2]
$ nago data shapes:train=9,test=9 -o nowhere/x
nowhere/x: error: cannot write: No such file or directory
[1]
$ nago data shapes:train=9,test=9 >/dev/full
nago: cannot write the output: No space left on device
[1]

# A data set as a folder of pictures, which reads back as it was.

$ nago data shapes:train=30,test=10,classes=4,size=12 --pictures photos >/dev/null; ls photos photos/train; ls photos/train/*/*.png | wc -l
photos:
test
train

photos/train:
circle
square
star
triangle
30
$ for s in train test; do nago data shapes:train=30,test=10,classes=4,size=12 --split $s -o a.bin >/dev/null; nago data images:photos:size=12 --split $s -o b.bin >/dev/null; for f in a b; do python3 -c 'import sys; d = open(sys.argv[1], "rb").read(); print(sorted(d[i + 1:i + 433] for i in range(0, len(d), 433)))' $f.bin >$f.sorted; done; cmp a.sorted b.sorted; done
$ nago data shapes:channels=1,train=8,test=4,classes=2 --pictures grey >/dev/null; nago data images:grey:channels=1 --split test --export - | wc -c
4100
