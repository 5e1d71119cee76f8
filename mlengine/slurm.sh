#!/bin/bash
# The trainer as a job of SLURM, from the folder above this one, where README.md's installation made .venv:
#     sbatch mlengine/slurm.sh --job-dir job
#     sbatch --ntasks=8 --nodes=2 mlengine/slurm.sh --ps 2 --job-dir job
# Options before slurm.sh are SLURM's and replace those below, options after it are of slurm_cluster.py and the trainer.
# All nodes have to see this folder and the job folder. If the job is put into the queue again, it goes on from its last
# checkpoint; 90 seconds before its time is over it writes one and does that by itself.
#SBATCH --job-name=mnist
#SBATCH --ntasks=5
#SBATCH --mem-per-cpu=2G
#SBATCH --time=1:00:00
#SBATCH --signal=B:USR1@90
#SBATCH --requeue
#SBATCH --open-mode=append
if ! [ -x .venv/bin/python ]; then
    echo "slurm.sh: $PWD has no .venv/bin/python: submit it from the project's folder, installed as README.md says" >&2
    exit 2
fi
exec .venv/bin/python mlengine/slurm_cluster.py "$@"
