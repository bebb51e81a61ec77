# What is particular to your cluster: edit it once, all templates read it. (PAWS_SITE=FILE names another such file.)

# Programs, as modules ...
# module purge
# module load gcc/12 cuda/12 openmpi/4.1 hdf5-parallel/1.12

# ... or in a container, put before the program's name. --nv shows it the GPUs; bind every folder of data, runs and scratch.
container=()
# container=(apptainer exec --nv --bind /data,/scratch /data/images/paws_hpc.sif)

# The program; empty: the one built or installed with these templates, else the one in PATH.
paws_hpc=

# How srun starts MPI: `srun --mpi=list` shows what there is, paws_hpc says so if it is the wrong one.
mpi=pmix

# A folder on the nodes' own disks for the copy of the packed images; empty: $SLURM_TMPDIR, else $TMPDIR. Not a folder in memory.
scratch=

# The nodes' fast network, where NCCL or UCX choose the wrong one (`ip -br link` and `ibv_devices` on a node).
# export NCCL_SOCKET_IFNAME=ib0 NCCL_IB_HCA=mlx5 UCX_NET_DEVICES=mlx5_0:1 OMPI_MCA_btl_tcp_if_include=ib0
